package io.sojourn.testkit;

import io.sojourn.SessionStore;
import io.sojourn.StoreUnavailableException;
import java.util.Set;

/** A store whose operations can be made to fail as if its server were not there. Thread-safe. */
public final class FaultyStore extends InterceptedStore {

  private volatile Set<String> failing = Set.of();

  /** Lets every call through to this store until told otherwise. */
  public FaultyStore(SessionStore inner) {
    super(inner);
  }

  /**
   * Makes calls fail from now on.
   *
   * @param operations method names; none: all is well again
   */
  public void fail(String... operations) {
    failing = Set.of(operations);
  }

  /** Makes every call fail from now on. */
  public void failAll() {
    fail(
        "create",
        "load",
        "save",
        "lease",
        "release",
        "rename",
        "remove",
        "claimExpired",
        "isEmpty",
        "ping");
  }

  @Override
  void before(String operation) {
    if (failing.contains(operation)) {
      throw new StoreUnavailableException("The test made " + operation + " fail", null);
    }
  }
}
