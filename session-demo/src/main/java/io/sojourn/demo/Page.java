package io.sojourn.demo;

import java.util.List;
import java.util.stream.Collectors;

/**
 * The application's page: plain HTML that needs nothing else from anywhere. Everything shown in it
 * is escaped.
 */
final class Page {

  private static final String HTML =
      """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>Node ${node} answered &middot; Sojourn demo</title>
      <link rel="icon" href="data:,">
      <style>
        :root { color-scheme: light dark; --ink: #1d2433; --soft: #5a6478; --paper: #f4f5f8; --card: #fff;
                --line: #d9dde6; --a: #0b6e6e; --b: #8a4b08; --bad: #a61b2b; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e9ecf3; --soft: #a4adbf; --paper: #14171f;
                --card: #1e222d; --line: #363c4b; --a: #4fc9c0; --b: #f0b25f; --bad: #ff8d98; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
        main { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem 3rem; }
        h1 { font-size: 2rem; line-height: 1.2; margin: 0; }
        h2 { font-size: 1.1rem; margin: 0 0 .75rem; }
        .card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
                padding: 1.25rem; margin-top: 1rem; }
        .A { color: var(--a); } .B { color: var(--b); }
        .soft { color: var(--soft); }
        p { margin: .25rem 0; }
        ol { margin: .5rem 0 1rem; padding-left: 1.5rem; }
        form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-top: .75rem; }
        input, button { font: inherit; padding: .5rem .9rem; border-radius: .5rem; border: 1px solid var(--soft);
                background: var(--card); color: inherit; }
        button { cursor: pointer; }
        button:hover { border-color: currentColor; background: var(--paper); }
        button.kill { color: var(--bad); border-color: currentColor; font-weight: 600; }
        :focus-visible { outline: 3px solid var(--a); outline-offset: 2px; }
        code { font-size: .95em; }
      </style>
      </head>
      <body>
      <main>
        <header>
          <h1>Hello from <span class="${node}">node ${node}</span></h1>
          <p class="soft">Process ${pid}. Session <code>${session}&hellip;</code>. Nodes that are up: ${live}.</p>
        </header>

        <section class="card" aria-labelledby="you">
          <h2 id="you">You</h2>
          ${you}
        </section>

        <section class="card" aria-labelledby="cart">
          <h2 id="cart">Your cart: ${count}</h2>
          ${cart}
          <form method="post" action="/cart">${goods}</form>
        </section>

        <section class="card" aria-labelledby="break">
          <h2 id="break">Break it</h2>
          <p>The balancer asks the nodes in turn. Kill the one that answered: the other one knows you and your cart,
             and about two seconds later the dead one is started again.</p>
          <form method="post" action="/_demo/kill?node=${node}">
            <button class="kill">Kill node ${node} (SIGKILL)</button>
          </form>
          <form method="get" action="/"><button>Ask again</button></form>
        </section>
      </main>
      </body>
      </html>
      """;

  private Page() {}

  /**
   * The page for a visitor.
   *
   * @param liveNodes the names of the nodes that are up
   */
  static String of(Visit visit, String liveNodes) {
    return HTML.replace("${node}", escape(visit.node()))
        .replace("${pid}", Long.toString(visit.pid()))
        .replace("${session}", escape(visit.session()))
        .replace("${live}", escape(liveNodes))
        .replace("${count}", visit.count())
        .replace("${goods}", goods())
        .replace("${cart}", cart(visit))
        // Last, as only this holds what a visitor wrote.
        .replace("${you}", you(visit.user()));
  }

  private static String goods() {
    return Shop.GOODS.stream()
        .map(Page::escape)
        .map("<button name=\"item\" value=\"%1$s\">Add %1$s</button>"::formatted)
        .collect(Collectors.joining("\n"));
  }

  private static String cart(Visit visit) {
    List<String> items = visit.items();
    if (items.isEmpty()) {
      return "<p class=\"soft\">Nothing in it yet.</p>";
    }
    return items.stream()
        .map(item -> "<li>" + escape(item) + "</li>")
        .collect(
            Collectors.joining(
                "",
                "<ol>",
                "</ol><p>Last written on <strong class=\"%1$s\">node %1$s</strong>.</p>"
                    .formatted(escape(visit.lastWrittenOn()))));
  }

  private static String you(String user) {
    if (user.isEmpty()) {
      return """
      <p>You are not signed in.</p>
      <form method="post" action="/sign-in">
        <label for="name">Your name</label>
        <input id="name" name="name" required maxlength="40" autocomplete="given-name">
        <button>Sign in</button>
      </form>""";
    }
    return """
    <p>You are <strong>%s</strong>.</p>
    <form method="post" action="/sign-out"><button>Sign out</button></form>"""
        .formatted(escape(user));
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }
}
