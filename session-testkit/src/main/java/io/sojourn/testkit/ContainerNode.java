package io.sojourn.testkit;

import java.net.URI;

/** A running server of a container under test. */
public interface ContainerNode extends AutoCloseable {

  /** Where its web application answers, with a slash at the end. */
  URI uri();

  /** Looks for expired sessions now, as the container does from time to time. */
  void scavenge();

  /** Stops the server. Repeatable. */
  @Override
  void close();
}
