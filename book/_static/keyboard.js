// Whatever scrolls sideways is a stop for the Tab key, with a name, so that arrow keys can scroll it.
(() => {
  const scrolls = (box) =>
    box.scrollWidth > box.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(box).overflowX);

  function mark() {
    for (const box of document.querySelectorAll(".bd-article *:not(mjx-container *)")) {
      const ours = "scrolls" in box.dataset;
      if (!ours && !box.hasAttribute("tabindex") && scrolls(box)) {
        box.dataset.scrolls = "";
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", "scrolls sideways");
      } else if (ours && !scrolls(box)) {
        for (const name of ["data-scrolls", "tabindex", "role", "aria-label"]) box.removeAttribute(name);
      }
    }
  }

  window.addEventListener("load", async () => {
    if (window.MathJax?.startup?.promise) await window.MathJax.startup.promise;
    mark();
  });
  window.addEventListener("resize", mark);
})();
