// Sets the theme before anything is drawn. Three steps: as the system, light, dark.
(() => {
  const root = document.documentElement;
  const steps = ["", "light", "dark"];
  const kept = () => localStorage.getItem("theme") ?? "";
  const apply = (theme) => {
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  apply(kept());
  root.classList.add("js");
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
    const order = isDark ? ["", "light", "dark"] : ["", "dark", "light"];
    const next = order[(order.indexOf(kept()) + 1) % steps.length];
    localStorage.setItem("theme", next);
    apply(next);
    document.dispatchEvent(new Event("theme"));
  });
})();
