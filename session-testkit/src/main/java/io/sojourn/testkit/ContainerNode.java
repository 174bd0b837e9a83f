package io.sojourn.testkit;

import java.net.URI;
import java.util.Optional;

/** A running server of a container under test. */
public interface ContainerNode extends AutoCloseable {

  /** Where its web application answers, with a slash at the end. */
  URI uri();

  /** Looks for expired sessions now, as the container does from time to time. */
  void scavenge();

  /**
   * What steers the store of a server that has opened it itself, in another process; empty if it
   * has the one that it was given.
   */
  default Optional<StoreControl> storeControl() {
    return Optional.empty();
  }

  /**
   * A part of its web application: the same server, which stays when the part is closed.
   *
   * @param path with a slash at the end
   */
  default ContainerNode at(String path) {
    ContainerNode whole = this;
    return new ContainerNode() {
      @Override
      public URI uri() {
        return whole.uri().resolve(path);
      }

      @Override
      public void scavenge() {
        whole.scavenge();
      }

      @Override
      public void close() {}
    };
  }

  /** Stops the server. Repeatable. */
  @Override
  void close();
}
