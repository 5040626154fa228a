"""When is each open invoice paid: predictions per entity, with their age, their rung and the word of the gate."""
