package io.sojourn.jetty;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.EventListener;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.eclipse.jetty.server.Session;
import org.eclipse.jetty.session.AbstractSessionManager;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what one of the application's session listeners throws from those after it, and from the
 * request. Jetty would stop at the first that throws.
 *
 * <p>Thread-safe.
 */
final class SessionListeners {

  /*
   * Jetty's session handlers keep these listeners in lists that are beans of theirs, one for each kind, and go through them. Here each
   * listener is replaced there by one that calls it and throws nothing: a proxy, since the servlet classes are not this class
   * loader's. The handler still knows by its own list of all listeners which have been added to it; one that has been taken
   * away is told no more.
   */

  private static final Logger LOG = System.getLogger(SessionListeners.class.getName());

  private static final String SERVLET = "jakarta.servlet.http.";

  /** The interfaces of a class by which it is told of sessions. */
  private static final ClassValue<List<Class<?>>> KINDS =
      new ClassValue<>() {
        @Override
        protected List<Class<?>> computeValue(Class<?> type) {
          List<Class<?>> kinds = new ArrayList<>();
          for (Class<?> each = type; each != null; each = each.getSuperclass()) {
            for (Class<?> implemented : each.getInterfaces()) {
              if (implemented.getName().startsWith(SERVLET + "HttpSession")) {
                kinds.add(implemented);
              }
              kinds.addAll(get(implemented));
            }
          }
          return kinds.stream().distinct().toList();
        }
      };

  private final AbstractSessionManager manager;
  private final List<CopyOnWriteArrayList<Object>> lists = new ArrayList<>();

  /** Those of a session handler. */
  @SuppressWarnings("unchecked")
  SessionListeners(AbstractSessionManager manager) {
    this.manager = manager;
    manager
        .getBeans(CopyOnWriteArrayList.class)
        .forEach(list -> lists.add((CopyOnWriteArrayList<Object>) list));
  }

  /** Whether objects of a class are told of sessions by the interface with this simple name. */
  static boolean isA(String kind, Object object) {
    for (Class<?> each : KINDS.get(object.getClass())) {
      if (each.getName().equals(SERVLET + kind)) {
        return true;
      }
    }
    return false;
  }

  /** Guards those that are there now. Cheap enough for each time that one may be told. */
  void guard() {
    for (CopyOnWriteArrayList<Object> list : lists) {
      for (Object listener : list) {
        if (isUnguarded(listener)) {
          // One that was taken away and has been added again is told once.
          list.removeIf(each -> guardOf(each) != null && list.contains(unguarded(each)));
          list.replaceAll(each -> isUnguarded(each) ? guarded(each, this::isThere) : each);
          break;
        }
      }
    }
  }

  private static boolean isUnguarded(Object listener) {
    return guardOf(listener) == null && !KINDS.get(listener.getClass()).isEmpty();
  }

  private boolean isThere(Object listener) {
    return manager.getEventListeners().contains((EventListener) listener);
  }

  /** Leaves the handler as if nothing had been guarded. */
  void unguard() {
    for (CopyOnWriteArrayList<Object> list : lists) {
      list.removeIf(each -> guardOf(each) != null && !isThere(unguarded(each)));
      list.replaceAll(SessionListeners::unguarded);
    }
  }

  /** Stands in for a value that may be told that it is in a session, or is not any more. */
  static @Nullable Object guarded(@Nullable Object value) {
    return value != null && isA("HttpSessionBindingListener", value)
        ? guarded(value, any -> true)
        : value;
  }

  private static Object guarded(Object listener, Predicate<Object> isThere) {
    Class<?>[] kinds = KINDS.get(listener.getClass()).toArray(Class<?>[]::new);
    return Proxy.newProxyInstance(kinds[0].getClassLoader(), kinds, new Guard(listener, isThere));
  }

  private static Object unguarded(Object object) {
    Guard guard = guardOf(object);
    return guard == null ? object : guard.listener;
  }

  private static @Nullable Guard guardOf(Object object) {
    return Proxy.isProxyClass(object.getClass())
            && Proxy.getInvocationHandler(object) instanceof Guard guard
        ? guard
        : null;
  }

  private record Guard(Object listener, Predicate<Object> isThere) implements InvocationHandler {

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments)
        throws ReflectiveOperationException {
      if (method.getDeclaringClass() == Object.class) {
        // Jetty compares its beans, and prints them.
        return switch (method.getName()) {
          case "equals" -> arguments != null && proxy == arguments[0];
          case "hashCode" -> System.identityHashCode(proxy);
          default -> listener.toString();
        };
      }
      if (arguments == null
          || !isThere.test(listener)
          || (method.getName().equals("sessionCreated") && !hasBegun(arguments[0]))) {
        return null;
      }
      try {
        arguments[0] = withoutStandIn(arguments[0]);
        return method.invoke(listener, arguments);
      } catch (InvocationTargetException e) {
        if (e.getCause() instanceof VirtualMachineError fatal) {
          throw fatal;
        }
        LOG.log(
            Level.WARNING,
            "A listener failed: " + listener.getClass().getName() + "." + method.getName(),
            e.getCause());
        return null;
      }
    }

    /** Not one that the request has joined: Jetty takes it for a new one. */
    private static boolean hasBegun(Object event) throws ReflectiveOperationException {
      return !(event.getClass().getMethod("getSession").invoke(event) instanceof Session.API api
          && api.getSession() instanceof SojournSession session
          && !session.hasBegun());
    }

    /** An attribute's event with the value itself. */
    private static Object withoutStandIn(Object event) throws ReflectiveOperationException {
      Class<?> type = event.getClass();
      if (!type.getName().equals(SERVLET + "HttpSessionBindingEvent")) {
        return event;
      }
      Object value = type.getMethod("getValue").invoke(event);
      if (value == null || guardOf(value) == null) {
        return event;
      }
      Method session = type.getMethod("getSession");
      return type.getConstructor(session.getReturnType(), String.class, Object.class)
          .newInstance(
              session.invoke(event), type.getMethod("getName").invoke(event), unguarded(value));
    }
  }
}
