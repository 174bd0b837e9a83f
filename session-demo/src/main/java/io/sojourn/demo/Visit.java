package io.sojourn.demo;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a node knows of a visitor at one request. Immutable.
 *
 * @param node the node that answered
 * @param pid its process
 * @param session the first characters of the session's id; empty if there is no session
 * @param user who is signed in; empty if nobody is
 * @param items the cart's content
 * @param lastWrittenOn the node that last changed the cart; empty if there is none
 */
record Visit(
    String node, long pid, String session, String user, List<String> items, String lastWrittenOn) {

  Visit {
    items = List.copyOf(items);
  }

  /** This as lines of {@code key: value}, for programs to read. */
  String text() {
    return """
    node: %s
    pid: %d
    session: %s
    user: %s
    cart: %d
    items: %s
    last written on: %s
    """
        .formatted(node, pid, session, user, items.size(), String.join(", ", items), lastWrittenOn);
  }

  /**
   * Reads what {@link #text()} wrote.
   *
   * @throws IllegalArgumentException if it is something else
   */
  static Visit parse(String text) {
    Map<String, String> values =
        text.lines()
            .filter(line -> line.contains(": "))
            .map(line -> line.split(": ", 2))
            .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
    String items = value(values, "items");
    return new Visit(
        value(values, "node"),
        Long.parseLong(value(values, "pid")),
        value(values, "session"),
        value(values, "user"),
        items.isEmpty() ? List.of() : List.of(items.split(", ", -1)),
        value(values, "last written on"));
  }

  private static String value(Map<String, String> values, String key) {
    String value = values.get(key);
    if (value == null) {
      throw new IllegalArgumentException("no line \"" + key + ": ...\" in the answer");
    }
    return value;
  }

  /** How much is in the cart, in words. */
  String count() {
    return items.size() == 1 ? "1 item" : items.size() + " items";
  }
}
