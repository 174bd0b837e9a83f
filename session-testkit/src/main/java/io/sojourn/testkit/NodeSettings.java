package io.sojourn.testkit;

import io.sojourn.SessionPolicy;
import io.sojourn.SessionStore;
import java.time.Duration;
import java.util.function.Supplier;

/**
 * What a server is to be started with.
 *
 * @param name its name, which {@link ContractServlet} is given
 * @param application whose sessions the store has
 * @param store where it keeps its sessions; not its own to close
 * @param allowedClasses patterns of classes that may be in a session
 * @param freshness when it asks the store whether a session has changed
 * @param nearCacheSize how many sessions it keeps decoded
 * @param clock how much further its clock is by which it judges how long ago it has asked
 */
public record NodeSettings(
    String name,
    String application,
    SessionStore store,
    String allowedClasses,
    SessionPolicy.Freshness freshness,
    int nearCacheSize,
    Supplier<Duration> clock) {}
