package io.sojourn.jetty;

/** The sessions of an application's users, on all nodes, for JMX. */
public interface UserSessionsMXBean {

  /** Whose sessions these are. */
  String getApplication();

  /**
   * The keys of a user's sessions: of the first 1,000.
   *
   * @param user by the name that {@code getRemoteUser} answers
   */
  String[] listSessionsOf(String user);

  /**
   * Ends all sessions of a user: their listeners are told here. Repeatable.
   *
   * @param user by the name that {@code getRemoteUser} answers
   * @return how many
   */
  int expireSessionsOf(String user);
}
