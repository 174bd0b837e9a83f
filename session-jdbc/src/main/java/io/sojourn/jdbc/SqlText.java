package io.sojourn.jdbc;

/**
 * A statement, or a part of one, that may look at the database's clock. Immutable.
 *
 * @param template with {@code {now}} where the clock is
 * @param clock the expression for it, in milliseconds since 1970
 * @param text the statement whose clock is not shifted
 */
record SqlText(String template, String clock, String text) {

  static SqlText of(String template, String clock) {
    return new SqlText(template, clock, template.replace("{now}", clock));
  }

  /** With the clock that many milliseconds ahead. */
  String ahead(long milliseconds) {
    return milliseconds == 0
        ? text
        : template.replace("{now}", "(" + clock + " + " + milliseconds + ")");
  }
}
