/* Sets the colours before the first paint. The choice is the reader's; without one, the system's. */
(function () {
  "use strict";
  var root = document.documentElement;
  var system = window.matchMedia("(prefers-color-scheme: dark)");

  function stored() {
    try {
      return window.localStorage.getItem("theme");
    } catch (error) {
      return null; // storage may be forbidden
    }
  }

  function isDark() {
    var choice = stored();
    return choice === "dark" || (choice !== "light" && system.matches);
  }

  function apply() {
    root.setAttribute("data-bs-theme", isDark() ? "dark" : "light");
    document.querySelectorAll("[data-theme-toggle]").forEach(function (button) {
      button.setAttribute("aria-pressed", String(isDark()));
    });
  }

  function toggle() {
    var dark = !isDark();
    try {
      // Back to what the system says: follow it again from here on.
      if (dark === system.matches) window.localStorage.removeItem("theme");
      else window.localStorage.setItem("theme", dark ? "dark" : "light");
    } catch (error) {
      root.setAttribute("data-bs-theme", dark ? "dark" : "light");
      return;
    }
    apply();
  }

  root.classList.add("js");
  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", apply);
  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-theme-toggle]")) toggle();
  });
})();
