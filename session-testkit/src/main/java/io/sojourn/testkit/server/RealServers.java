package io.sojourn.testkit.server;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.StoreScope;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives tests the {@link RedisServer} and the {@link MariaDbServer} that the whole test run shares.
 *
 * <p>Each is started when the first test asks for it and stopped when the launcher's session ends.
 * Every class has to keep to keys or a database of its own ({@link MariaDbServer#newDatabase()}),
 * and must leave the server running. Safe for tests that run in parallel.
 */
public final class RealServers implements ParameterResolver {

  private static final Namespace NAMESPACE = Namespace.create(RealServers.class);

  /** Creates the extension; JUnit does this. */
  public RealServers() {}

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return type == RedisServer.class || type == MariaDbServer.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return context
        .getStore(StoreScope.LAUNCHER_SESSION, NAMESPACE)
        .computeIfAbsent(parameter.getParameter().getType(), RealServers::start);
  }

  private static RunningServer start(Class<?> type) {
    return type == RedisServer.class ? RedisServer.startShared() : MariaDbServer.startShared();
  }
}
