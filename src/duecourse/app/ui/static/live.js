// Keeps the part of a page marked data-live up to date while long work runs. Without it the page has a link instead.
const EVERY_MS = 1500;

async function lookAgain() {
  const live = document.querySelector("[data-live]");
  if (!live) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(live.id);
      // What ended may offer other buttons outside the part: then the whole page is asked for once more.
      if (fresh && !fresh.hasAttribute("data-live")) return location.reload();
      if (fresh && fresh.innerHTML !== live.innerHTML) live.innerHTML = fresh.innerHTML;
    }
  } catch {
    // The server may be restarting; the next look will tell.
  }
  setTimeout(lookAgain, EVERY_MS);
}

setTimeout(lookAgain, EVERY_MS);
