package io.sojourn.testkit;

import io.sojourn.SessionStore;

/**
 * What a server is to be started with.
 *
 * @param name its name, which {@link ContractServlet} is given
 * @param store where it keeps its sessions; not its own to close
 * @param allowedClasses patterns of classes that may be in a session
 */
public record NodeSettings(String name, SessionStore store, String allowedClasses) {}
