"""The sections of the pages: each module turns data into what one template prints."""
