// What a reader meets, measured in the page itself and left in the document as JSON: see browser.py.
(() => {
  const problems = [];
  window.addEventListener("error", (event) => problems.push(String(event.message || event.target.src || event.target.href)), true);

  const visible = (box) => box.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && box.getClientRects().length > 0;
  const path = (box) => {
    const names = [];
    for (let node = box; node && node.nodeType === 1 && names.length < 4; node = node.parentElement)
      names.unshift(node.tagName.toLowerCase() + (node.id ? "#" + node.id : "") + [...node.classList].slice(0, 2).map((c) => "." + c).join(""));
    return names.join(" > ");
  };

  // Relative luminance and contrast as WCAG 2 defines them; translucent colours are laid over what is behind.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const behind = (box) => {
    const layers = [];
    for (let node = box; node; node = node.parentElement) layers.push(rgba(getComputedStyle(node).backgroundColor));
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255, 1]);
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, two) => {
    const [low, high] = [luminance(one), luminance(two)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const contrast = () => {
    const faint = {};
    let texts = 0;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const box = node.parentElement;
      if (!node.data.trim() || box.closest("script, style, noscript, [disabled], #audit") || !visible(box)) continue;
      const style = getComputedStyle(box);
      const size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      const back = behind(box);
      const found = ratio(over(rgba(style.color), back), back);
      texts += 1;
      if (found < (large ? 3 : 4.5)) faint[path(box)] ??= [Math.round(found * 100) / 100, node.data.trim().slice(0, 40)];
    }
    return { texts, faint };
  };

  const FOCUS = "a[href], button:not([disabled]), input:not([disabled]), select, textarea, summary, [tabindex]";
  const stops = () => [...document.querySelectorAll(FOCUS)].filter((box) => box.tabIndex >= 0);
  const named = (box) =>
    box.getAttribute("aria-label") || box.title || box.innerText?.trim() || box.labels?.length || box.placeholder || box.querySelector("img[alt]:not([alt=''])");
  const wide = () =>
    [...document.querySelectorAll("body *")].filter(
      (box) => box.scrollWidth > box.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(box).overflowX) && visible(box));

  const audit = () => {
    const still = document.createElement("style");
    still.textContent = "* { transition: none !important; animation: none !important; }";
    document.head.append(still);
    const themes = {};
    for (const theme of ["light", "dark"]) {
      document.documentElement.dataset.theme = theme;
      themes[theme] = contrast();
    }
    document.documentElement.dataset.theme = "light";
    const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    return {
      problems,
      themes,
      width: innerWidth,
      overflow: document.scrollingElement.scrollWidth - innerWidth,
      formulas: document.querySelectorAll("mjx-container").length,
      unreachable: wide().filter((box) => box.tabIndex < 0 && !box.querySelector(FOCUS)).map(path),
      reachable: wide().filter((box) => box.tabIndex >= 0).map(path),
      first: stops().filter(visible).map(path)[0],
      skip: document.querySelector(".skip-link a")?.getAttribute("href"),
      nameless: stops().filter((box) => visible(box) && !named(box)).map(path),
      resources: entries.map((entry) => [entry.name, entry.decodedBodySize, entry.transferSize]),
    };
  };

  const leave = () => {
    const place = document.createElement("pre");
    let found;
    try { found = audit(); } catch (error) { found = { crashed: String(error.stack) }; }
    place.id = "audit";
    place.textContent = JSON.stringify(found);
    document.body.replaceChildren(place);
  };
  window.addEventListener("load", async () => {
    if (window.MathJax?.startup?.promise) await window.MathJax.startup.promise;
    window.dispatchEvent(new Event("resize"));  // what formulas made wide is looked at again
    setTimeout(leave, 500);
  });
})();
