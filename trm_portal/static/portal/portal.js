/* Makes the pages quicker to use; every one of them works without it. No eval, nothing inline. */
(function () {
  "use strict";
  var doc = document;
  var languages = readerLanguages();

  /* Times: the server writes its zone, the reader sees her own; the exact moment is in the title. */
  function readerLanguages() {
    var page = doc.documentElement.lang || "en";
    var own = (navigator.languages || []).find(function (tag) {
      return tag.toLowerCase().split("-")[0] === page;
    });
    return [own || page];
  }

  function relative(moment) {
    var seconds = (moment - Date.now()) / 1000;
    var units = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];
    var unit = units.find(function (entry) { return Math.abs(seconds) >= entry[1]; }) || ["minute", 60];
    return new Intl.RelativeTimeFormat(languages, { numeric: "auto" }).format(Math.round(seconds / unit[1]), unit[0]);
  }

  function localiseTimes(root) {
    root.querySelectorAll("time[data-local]").forEach(function (element) {
      var moment = new Date(element.getAttribute("datetime"));
      var style = element.dataset.local;
      if (isNaN(moment)) return;
      if (style === "day") {
        element.textContent = new Intl.DateTimeFormat(languages, { dateStyle: "medium", timeZone: "UTC" }).format(moment);
        return;
      }
      element.title = new Intl.DateTimeFormat(languages, { dateStyle: "full", timeStyle: "long" }).format(moment);
      if (style === "relative") element.textContent = relative(moment);
      else if (style === "date") element.textContent = new Intl.DateTimeFormat(languages, { dateStyle: "medium" }).format(moment);
      else element.textContent = new Intl.DateTimeFormat(languages, { dateStyle: "medium", timeStyle: "short" }).format(moment);
    });
  }

  /* Tables with checkboxes: all of this page at once, how many are chosen, no action on nothing. */
  function refreshBulk(form) {
    var boxes = Array.from(form.querySelectorAll("[data-bulk-item]"));
    var chosen = boxes.filter(function (box) { return box.checked; }).length;
    form.querySelectorAll("[data-bulk-all]").forEach(function (all) {
      all.checked = chosen > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    });
    form.querySelectorAll("[data-bulk-count]").forEach(function (count) {
      var text = chosen === 0 ? count.dataset.none : chosen === 1 ? count.dataset.one : count.dataset.many;
      count.textContent = (text || "").replace("{n}", chosen);
    });
    form.querySelectorAll("[data-bulk-action]").forEach(function (button) { button.disabled = chosen === 0; });
  }

  function prepare(root) {
    localiseTimes(root);
    root.querySelectorAll("[data-bulk]").forEach(refreshBulk);
    if (root.closest && root.closest("[data-bulk]")) refreshBulk(root.closest("[data-bulk]"));
  }

  doc.addEventListener("change", function (event) {
    var form = event.target.closest("[data-bulk]");
    if (form) {
      if (event.target.matches("[data-bulk-all]")) {
        form.querySelectorAll("[data-bulk-item]").forEach(function (box) { box.checked = event.target.checked; });
      }
      refreshBulk(form);
    }
    var filters = event.target.closest("form[data-auto-submit]");
    if (filters && event.target.matches("select, input[type=checkbox], input[type=radio], input[type=date]")) filters.requestSubmit();
  });

  /* A form is sent once. A form that answers with a file stays open: data-stays. */
  doc.addEventListener("submit", function (event) {
    var form = event.target;
    if (event.defaultPrevented || form.method === "dialog" || form.hasAttribute("data-stays") || form.hasAttribute("data-auto-submit")) return;
    if (form.hasAttribute("data-sent")) {
      event.preventDefault();
      return;
    }
    form.setAttribute("data-sent", "");
    form.setAttribute("aria-busy", "true");
  });

  function reopen(root) {
    root.querySelectorAll("form[data-sent]").forEach(function (form) {
      form.removeAttribute("data-sent");
      form.removeAttribute("aria-busy");
    });
  }
  window.addEventListener("pageshow", function () { reopen(doc); });

  /* Menus of the top bar close on Escape and on a click elsewhere. */
  doc.addEventListener("click", function (event) {
    doc.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.open = false;
    });
    var closer = event.target.closest("[data-dismiss]");
    if (closer) closer.closest(closer.dataset.dismiss).remove();
  });
  doc.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    doc.querySelectorAll("details.menu[open]").forEach(function (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });
  /* In a menu the arrow keys go from line to line, and what is searched in it has the focus when it opens. */
  doc.addEventListener("keydown", function (event) {
    var menu = event.target.closest && event.target.closest("details.menu[open]");
    if (!menu || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
    var lines = Array.from(menu.querySelectorAll("summary, [data-menu-focus], .menu-panel li > a, .menu-more a"));
    var next = lines[lines.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
  doc.addEventListener("toggle", function (event) {
    var field = event.target.matches("details.menu[open]") && event.target.querySelector("[data-menu-focus]");
    if (field) field.focus();
  }, true);
  doc.addEventListener("focusin", function (event) {
    doc.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  /* "New tab" on a link that opens the pane is still a new tab. */
  doc.addEventListener("click", function (event) {
    if ((event.ctrlKey || event.metaKey || event.shiftKey) && event.target.closest("a[hx-get]")) event.stopPropagation();
  }, true);

  /* Errors link to their fields: focus, not only scroll. */
  doc.addEventListener("click", function (event) {
    var link = event.target.closest(".error-summary a[href^='#']");
    var field = link && doc.getElementById(link.getAttribute("href").slice(1));
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.scrollIntoView({ block: "center" });
  });

  /* Detail pane */
  var pane = doc.getElementById("pane-dialog");
  if (pane) {
    pane.addEventListener("click", function (event) { if (event.target === pane) pane.close(); });
    pane.addEventListener("close", function () { doc.getElementById("pane").replaceChildren(); });
    openPane(doc.getElementById("pane"));
  }

  function openPane(content) {
    if (!pane || !content.childElementCount) return;
    var heading = content.querySelector("#pane-title") || content.querySelector("h1, h2"); // an error page has its own
    if (heading) heading.id = "pane-title";
    if (!pane.open) pane.showModal();
  }

  var hadFocus = false;
  function focusAfterSwap(target) {
    var wanted = target.querySelector(".error-summary, [data-focus], [autofocus]");
    if (!wanted && target.id === "pane") wanted = doc.getElementById("pane-title");
    // What had the focus is gone: go to the first heading of what came instead.
    if (!wanted && hadFocus && doc.activeElement === doc.body) wanted = target.querySelector("h1, h2, h3") || target;
    if (!wanted) return;
    if (!wanted.matches("a, button, input, select, textarea, [tabindex]")) wanted.setAttribute("tabindex", "-1");
    wanted.focus();
  }

  doc.addEventListener("htmx:beforeSwap", function (event) {
    var detail = event.detail;
    var answer = detail.serverResponse || "";
    hadFocus = detail.target.contains(doc.activeElement);
    if (!/<html[\s>]/i.test(answer)) return;
    if (detail.xhr.status < 400 && /<html[^>]*data-full-page/i.test(answer)) {
      // Signed out meanwhile: the sign-in page belongs in the window, not in a part of it.
      detail.shouldSwap = false;
      window.location.assign(detail.xhr.responseURL || window.location.href);
    } else if (detail.xhr.status >= 400) {
      detail.selectOverride = ".plain-card";
    }
  });

  doc.addEventListener("htmx:afterSettle", function (event) {
    var target = event.detail.target.isConnected ? event.detail.target : doc.getElementById(event.detail.target.id) || doc.body;
    prepare(target);
    reopen(doc);
    if (target.id === "pane") openPane(target);
    focusAfterSwap(target);
    hadFocus = false;
  });

  /* Long waits are told: after half a second, in words. */
  var loading = doc.getElementById("loading");
  var waiting = 0;
  function showLoading(isOn) {
    if (!loading) return;
    window.clearTimeout(waiting);
    if (isOn) {
      waiting = window.setTimeout(function () {
        loading.textContent = loading.dataset.text;
        loading.classList.add("is-on");
      }, 500);
    } else {
      loading.textContent = "";
      loading.classList.remove("is-on");
    }
  }
  doc.addEventListener("htmx:beforeRequest", function () { showLoading(true); });
  doc.addEventListener("htmx:afterRequest", function () { showLoading(false); reopen(doc); });

  prepare(doc);
  var summary = doc.querySelector(".error-summary");
  if (summary) summary.focus();
})();
