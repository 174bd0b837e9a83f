package io.sojourn.testkit.server;

import java.lang.reflect.Executable;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.StoreScope;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.opentest4j.TestAbortedException;

/**
 * Gives tests the {@link RedisServer}, {@link MariaDbServer}, {@link MySqlServer} and {@link
 * PostgreSqlServer} that the whole test run shares.
 *
 * <p>Each is started when the first test asks for it and stopped when the launcher's session ends.
 * Every class has to keep to keys or a database of its own ({@code newDatabase()}), and must leave
 * the server running. Safe for tests that run in parallel.
 */
public final class RealServers implements ExecutionCondition, ParameterResolver {

  private static final Namespace NAMESPACE = Namespace.create(RealServers.class);

  private static final Map<Class<?>, Supplier<RunningServer>> START =
      Map.of(
          RedisServer.class, RedisServer::startShared,
          MariaDbServer.class, MariaDbServer.PRODUCT::startShared,
          MySqlServer.class, MySqlServer.PRODUCT::startShared,
          PostgreSqlServer.class, PostgreSqlServer.PRODUCT::startShared);

  /** Creates the extension; JUnit does this. */
  public RealServers() {}

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return START.containsKey(type);
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return shared(parameter.getParameter().getType(), context);
  }

  /** Leaves out what takes a MySQL that cannot be had; a parameter's resolver could only fail. */
  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    if (takesMySql(context)) {
      try {
        shared(MySqlServer.class, context);
      } catch (TestAbortedException e) {
        return ConditionEvaluationResult.disabled(e.getMessage());
      }
    }
    return ConditionEvaluationResult.enabled("Its servers are there or have to be");
  }

  private static Object shared(Class<?> server, ExtensionContext context) {
    return context
        .getStore(StoreScope.LAUNCHER_SESSION, NAMESPACE)
        .computeIfAbsent(server, type -> Objects.requireNonNull(START.get(type)).get());
  }

  private static boolean takesMySql(ExtensionContext context) {
    Stream<Executable> takers =
        context.getTestMethod().isPresent()
            ? Stream.of(context.getRequiredTestMethod())
            : Stream.of(context.getRequiredTestClass().getDeclaredConstructors());
    return takers
        .flatMap(taker -> Stream.of(taker.getParameterTypes()))
        .anyMatch(MySqlServer.class::equals);
  }
}
