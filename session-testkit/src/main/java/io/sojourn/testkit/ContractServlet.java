package io.sojourn.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The web application of {@link ContainerContract}: does to its session what the request's {@code
 * op} parameters say, one after the other, and answers a line for each that asks something.
 *
 * <pre>
 * get:NAME          the attribute, or null            set:NAME:TEXT    sets a string
 * add:NAME:ITEM     adds to a cart, in place          remove:NAME      removes the attribute
 * names             the attributes' names             same:NAME        whether two reads give one object
 * id  new  created  timeout                           timeout:SECONDS  sets max inactive interval
 * begin             getSession(true)                  invalidate  changeId
 * flush             flushes the response              fill:BYTES       writes that much of a body
 * redirect:TARGET   redirects                         error:STATUS     sends an error
 * await:GATE        waits until the gate is open      open:GATE  waiting:GATE
 * events            what this server's session listeners were told
 * </pre>
 */
public final class ContractServlet extends HttpServlet {

  private static final long serialVersionUID = 1L;
  private static final long GATE_SECONDS = 30;

  private final transient SessionEvents events;
  private final transient Map<String, Gate> gates = new ConcurrentHashMap<>();

  /** The application of one server, whose listeners these are. */
  public ContractServlet(SessionEvents events) {
    this.events = events;
  }

  static final class Gate {
    final CountDownLatch latch = new CountDownLatch(1);
    final AtomicInteger waiting = new AtomicInteger();
  }

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response)
      throws ServletException, IOException {
    response.setContentType("text/plain");
    response.setCharacterEncoding(UTF_8.name());
    String[] operations = request.getParameterValues("op");
    StringBuilder answer = new StringBuilder();
    for (String operation : operations == null ? new String[0] : operations) {
      String line = perform(operation, request, response);
      if (line != null) {
        answer.append(line).append('\n');
      }
    }
    if (!response.isCommitted() || !answer.isEmpty()) {
      response.getWriter().write(answer.toString());
    }
  }

  private @Nullable String perform(
      String operation, HttpServletRequest request, HttpServletResponse response)
      throws ServletException, IOException {
    List<String> words = List.of(operation.split(":", 3));
    String first = words.size() > 1 ? words.get(1) : "";
    String second = words.size() > 2 ? words.get(2) : "";
    switch (words.get(0)) {
      case "begin" -> request.getSession(true);
      case "set" -> request.getSession(true).setAttribute(first, second);
      case "add" -> add(request.getSession(true), first, second);
      case "flush" -> {
        response.getWriter().write("flushed\n");
        response.flushBuffer();
      }
      case "fill" -> response.getWriter().write("x".repeat(Integer.parseInt(first)) + "\n");
      case "redirect" -> response.sendRedirect(operation.substring("redirect:".length()));
      case "error" -> response.sendError(Integer.parseInt(first));
      case "await" -> await(first);
      case "open" -> gate(first).latch.countDown();
      case "waiting" -> {
        return Integer.toString(gate(first).waiting.get());
      }
      case "events" -> {
        return String.join(";", events.events());
      }
      default -> {
        return ofSession(words.get(0), first, request);
      }
    }
    return null;
  }

  /** Operations on a session that is there; without one they answer "none". */
  private static @Nullable String ofSession(
      String operation, String argument, HttpServletRequest request) throws ServletException {
    HttpSession session = request.getSession(false);
    if (session == null) {
      return "none";
    }
    switch (operation) {
      case "get" -> {
        return String.valueOf(session.getAttribute(argument));
      }
      case "same" -> {
        Object once = session.getAttribute(argument);
        return String.valueOf(once != null && once == session.getAttribute(argument));
      }
      case "names" -> {
        return String.join(",", new TreeSet<>(Collections.list(session.getAttributeNames())));
      }
      case "id" -> {
        return session.getId();
      }
      case "new" -> {
        return String.valueOf(session.isNew());
      }
      case "created" -> {
        return Long.toString(session.getCreationTime());
      }
      case "timeout" -> {
        if (argument.isEmpty()) {
          return Integer.toString(session.getMaxInactiveInterval());
        }
        session.setMaxInactiveInterval(Integer.parseInt(argument));
      }
      case "remove" -> session.removeAttribute(argument);
      case "invalidate" -> session.invalidate();
      case "changeId" -> {
        return request.changeSessionId();
      }
      default -> throw new ServletException("Unknown operation " + operation);
    }
    return null;
  }

  private static void add(HttpSession session, String name, String item) {
    if (session.getAttribute(name) instanceof Cart cart) {
      cart.add(item);
    } else {
      Cart cart = new Cart();
      session.setAttribute(name, cart);
      cart.add(item);
    }
  }

  private Gate gate(String name) {
    return gates.computeIfAbsent(name, key -> new Gate());
  }

  private void await(String name) throws ServletException {
    Gate gate = gate(name);
    gate.waiting.incrementAndGet();
    try {
      if (!gate.latch.await(GATE_SECONDS, TimeUnit.SECONDS)) {
        throw new ServletException("Nobody opened the gate " + name);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ServletException(e);
    } finally {
      gate.waiting.decrementAndGet();
    }
  }
}
