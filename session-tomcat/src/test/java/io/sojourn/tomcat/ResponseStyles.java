package io.sojourn.tomcat;

import static java.nio.charset.StandardCharsets.UTF_8;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletRequestEvent;
import jakarta.servlet.ServletRequestListener;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpFilter;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.http.HttpRequest;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SubmissionPublisher;
import java.util.concurrent.TimeUnit;
import org.apache.catalina.Wrapper;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.servlets.DefaultServlet;
import org.apache.catalina.startup.Tomcat;
import org.apache.jasper.servlet.JasperInitializer;
import org.apache.jasper.servlet.JspServlet;
import org.apache.tomcat.util.descriptor.web.ErrorPage;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;

/**
 * A web application that changes its session once in each request, by {@code setAttribute} and in
 * place, and then answers in the style that the path names.
 */
final class ResponseStyles {

  /** The attribute that is a number, set anew. */
  static final String NUMBER = "number";

  /** The attribute that is a list, added to in place. */
  static final String LIST = "list";

  /** The style that wants {@link #bodyOfTwoParts} to be posted. */
  static final String NON_BLOCKING_READ = "non-blocking-read";

  private static final String BODY = "x".repeat(50_000);

  private final ExecutorService threads;
  private final Semaphore firstPartRead = new Semaphore(0);
  private final Map<String, Style> styles = new TreeMap<>();

  /** How a request is answered. */
  @FunctionalInterface
  private interface Style {
    void answer(HttpServletRequest request, HttpServletResponse response)
        throws IOException, ServletException;
  }

  /**
   * The application of one server.
   *
   * @param threads for what is not done by the server's
   */
  ResponseStyles(ExecutorService threads) {
    this.threads = threads;
    blocking();
    dispatching();
    asynchronous();
  }

  /** Changes the session: what was asked for is a number one higher in both attributes. */
  private static void change(HttpServletRequest request) {
    HttpSession session = request.getSession(true);
    changeInPlace(session, changeNumber(session));
  }

  private static int changeNumber(HttpSession session) {
    Integer before = (Integer) session.getAttribute(NUMBER);
    int next = before == null ? 1 : before + 1;
    session.setAttribute(NUMBER, next);
    return next;
  }

  @SuppressWarnings("unchecked")
  private static void changeInPlace(HttpSession session, int next) {
    List<Integer> list = (List<Integer>) session.getAttribute(LIST);
    if (list == null) {
      list = new ArrayList<>();
      session.setAttribute(LIST, list);
    }
    list.add(next);
  }

  /** What a session has that has been changed so many times. */
  static String state(int changes) {
    List<Integer> list = new ArrayList<>();
    for (int i = 1; i <= changes; i++) {
      list.add(i);
    }
    return changes + " " + list;
  }

  private void changing(String name, Style style) {
    styles.put(
        name,
        (request, response) -> {
          change(request);
          style.answer(request, response);
        });
  }

  private void blocking() {
    changing("nothing", (request, response) -> {});
    changing("writer", (request, response) -> response.getWriter().print("body"));
    changing("stream", (request, response) -> response.getOutputStream().print("body"));
    changing("flush-buffer", (request, response) -> response.flushBuffer());
    changing("flush-writer", (request, response) -> response.getWriter().flush());
    changing("flush-stream", (request, response) -> response.getOutputStream().flush());
    changing("close-writer", (request, response) -> response.getWriter().close());
    changing("close-stream", (request, response) -> response.getOutputStream().close());
    changing("big-writer", (request, response) -> response.getWriter().print(BODY));
    changing(
        "big-writer-by-lines",
        (request, response) -> {
          PrintWriter writer = response.getWriter();
          for (int i = 0; i < 2000; i++) {
            writer.printf("%d %s%n", i, "line").append("more").println();
          }
        });
    changing(
        "big-writer-of-umlauts",
        (request, response) -> {
          response.setContentType("text/plain;charset=UTF-8");
          response.getWriter().print("\u00fc\u20ac".repeat(4_000));
        });
    changing("big-stream", (request, response) -> response.getOutputStream().write(bytes()));
    changing(
        "big-stream-by-bytes",
        (request, response) -> {
          ServletOutputStream stream = response.getOutputStream();
          for (byte next : bytes()) {
            stream.write(next);
          }
        });
    changing(
        "big-stream-of-known-length",
        (request, response) -> {
          response.setContentLength(bytes().length);
          response.getOutputStream().write(bytes());
        });
    changing(
        "small-stream-of-known-length",
        (request, response) -> {
          response.setContentLength(4);
          response.getOutputStream().print("body");
        });
    changing(
        "complete-stream-and-flush-buffer",
        (request, response) -> {
          response.setContentLength(4);
          response.getOutputStream().print("body");
          response.flushBuffer();
        });
    changing(
        "complete-stream-by-bytes-and-close",
        (request, response) -> {
          response.setContentLength(2);
          response.getOutputStream().write('o');
          response.getOutputStream().write('k');
          response.getOutputStream().close();
        });
    changing(
        "small-writer-of-length-by-header",
        (request, response) -> {
          response.setHeader("content-length", "4");
          response.getWriter().print("body");
        });
    changing(
        "small-stream-of-length-by-header",
        (request, response) -> {
          response.addIntHeader("Content-Length", 4);
          response.getOutputStream().print("body");
        });
    changing("byte-buffer", (request, response) -> writeBuffer(response.getOutputStream()));
    styles.put(
        "reset-and-big",
        (request, response) -> {
          response.getWriter().print("thrown away");
          // Takes the cookie of a new session along, so the change comes after.
          response.reset();
          change(request);
          response.getOutputStream().write(bytes());
        });
    changing(
        "smaller-buffer-than-body",
        (request, response) -> {
          response.setBufferSize(20_000);
          response.getWriter().print("x".repeat(20_001));
        });
    changing(
        "sendfile",
        (request, response) -> {
          String file = request.getServletContext().getRealPath("/filtered/big.txt");
          long length = Files.size(Path.of(file));
          request.setAttribute("org.apache.tomcat.sendfile.filename", file);
          request.setAttribute("org.apache.tomcat.sendfile.start", 0L);
          request.setAttribute("org.apache.tomcat.sendfile.end", length);
          response.setContentLengthLong(length);
        });
    changing("redirect", (request, response) -> response.sendRedirect("/elsewhere"));
    changing("error", (request, response) -> response.sendError(409));
    changing("no-content", (request, response) -> response.setStatus(204));
    styles.put(
        "changed-by-request-listener",
        (request, response) -> {
          changeInPlaceAlone(request);
          response.flushBuffer();
        });
  }

  /** Goes on with what {@link Early} has begun. */
  private static void changeInPlaceAlone(HttpServletRequest request) {
    HttpSession session = request.getSession();
    changeInPlace(session, (Integer) session.getAttribute(NUMBER));
  }

  /** By the method that servlet 6.1 has and 6.0 has not. */
  private static void writeBuffer(ServletOutputStream stream) throws IOException {
    try {
      ServletOutputStream.class
          .getMethod("write", ByteBuffer.class)
          .invoke(stream, ByteBuffer.wrap(bytes()));
    } catch (NoSuchMethodException e) {
      stream.write(bytes());
    } catch (ReflectiveOperationException e) {
      throw new IOException(e);
    }
  }

  private static byte[] bytes() {
    return BODY.getBytes(UTF_8);
  }

  private void dispatching() {
    styles.put("forward", (request, response) -> dispatch(request, "writer", response, true));
    styles.put(
        "forward-to-big", (request, response) -> dispatch(request, "big-writer", response, true));
    styles.put(
        "forward-to-stream", (request, response) -> dispatch(request, "stream", response, true));
    styles.put("include", (request, response) -> dispatch(request, "writer", response, false));
    styles.put(
        "include-that-flushes",
        (request, response) -> dispatch(request, "flush-writer", response, false));
    styles.put(
        "forward-to-jsp",
        (request, response) ->
            request.getRequestDispatcher("/styles/page.jsp").forward(request, response));
    styles.put("page-of-status", (request, response) -> response.sendError(410));
    styles.put("big-page-of-status", (request, response) -> response.sendError(411));
    styles.put("jsp-page-of-status", (request, response) -> response.sendError(412));
    styles.put(
        "page-of-exception",
        (request, response) -> {
          throw new UnsupportedOperationException("meant");
        });
  }

  private static void dispatch(
      HttpServletRequest request, String style, HttpServletResponse response, boolean forward)
      throws IOException, ServletException {
    var dispatcher = request.getRequestDispatcher("/styles/" + style);
    if (forward) {
      dispatcher.forward(request, response);
    } else {
      dispatcher.include(request, response);
    }
  }

  /** Work that may fail on a thread of its own. */
  @FunctionalInterface
  private interface Work {
    void run() throws Exception;
  }

  private void asynchronous() {
    styles.put(
        "async-on-another-thread",
        (request, response) -> {
          AsyncContext async = request.startAsync();
          onAnotherThread(
              () -> {
                change(request);
                response.getWriter().print("body");
                async.complete();
              });
        });
    styles.put(
        "async-on-another-thread-with-flush",
        (request, response) -> {
          AsyncContext async = request.startAsync();
          request.getSession();
          onAnotherThread(
              () -> {
                change(request);
                response.flushBuffer();
                async.complete();
              });
        });
    changing(
        "async-begun-after-the-change",
        (request, response) -> {
          AsyncContext async = request.startAsync();
          onAnotherThread(async::complete);
        });
    styles.put(
        "async-started-runnable",
        (request, response) -> {
          AsyncContext async = request.startAsync();
          async.start(
              () -> {
                change(request);
                async.complete();
              });
        });
    styles.put(
        "async-on-another-thread-in-place",
        (request, response) -> {
          HttpSession session = request.getSession();
          Integer before = (Integer) session.getAttribute(NUMBER);
          int next = before == null ? 1 : before + 1;
          session.setAttribute(NUMBER, next);
          AsyncContext async = request.startAsync();
          onAnotherThread(
              () -> {
                changeInPlace(session, next);
                async.complete();
              });
        });
    styles.put(
        "async-dispatch-after-the-session",
        (request, response) -> {
          if (request.getDispatcherType() == DispatcherType.ASYNC) {
            change(request);
            return;
          }
          AsyncContext async = request.startAsync();
          onAnotherThread(
              () -> {
                request.getSession();
                async.dispatch();
              });
        });
    styles.put(
        "async-dispatch",
        (request, response) -> {
          AsyncContext async = request.startAsync();
          onAnotherThread(() -> async.dispatch("/styles/writer"));
        });
    styles.put(
        "async-timeout",
        (request, response) -> {
          AsyncContext async = request.startAsync();
          async.setTimeout(10);
          async.addListener(new ChangeAtTimeout());
        });
    styles.put("non-blocking-write", this::writeWithoutBlocking);
    styles.put(NON_BLOCKING_READ, this::readWithoutBlocking);
  }

  private void onAnotherThread(Work work) {
    threads.execute(
        () -> {
          try {
            work.run();
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
        });
  }

  private static final class ChangeAtTimeout implements AsyncListener {
    @Override
    public void onTimeout(AsyncEvent event) {
      change((HttpServletRequest) event.getSuppliedRequest());
      event.getAsyncContext().complete();
    }

    @Override
    public void onComplete(AsyncEvent event) {}

    @Override
    public void onError(AsyncEvent event) {}

    @Override
    public void onStartAsync(AsyncEvent event) {}
  }

  private void writeWithoutBlocking(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    AsyncContext async = request.startAsync();
    ServletOutputStream stream = response.getOutputStream();
    stream.setWriteListener(
        new WriteListener() {
          private boolean written;

          @Override
          public void onWritePossible() throws IOException {
            if (!written) {
              change(request);
              written = true;
              stream.write(bytes());
            }
            if (stream.isReady()) {
              async.complete();
            }
          }

          @Override
          public void onError(Throwable failure) {
            async.complete();
          }
        });
  }

  /**
   * A body that is there in part: the rest comes when the listener has been told of that. Half of
   * the change is made then, and half when there is no more to read.
   */
  HttpRequest.BodyPublisher bodyOfTwoParts() {
    firstPartRead.drainPermits();
    return HttpRequest.BodyPublishers.fromPublisher(
        subscriber -> {
          SubmissionPublisher<ByteBuffer> parts = new SubmissionPublisher<>(threads, 2);
          parts.subscribe(subscriber);
          onAnotherThread(
              () -> {
                parts.submit(ByteBuffer.allocate(1));
                if (firstPartRead.tryAcquire(30, TimeUnit.SECONDS)) {
                  parts.submit(ByteBuffer.allocate(1));
                }
                parts.close();
              });
        });
  }

  private void readWithoutBlocking(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    AsyncContext async = request.startAsync();
    ServletInputStream stream = request.getInputStream();
    stream.setReadListener(
        new ReadListener() {
          private int next;

          @Override
          public void onDataAvailable() throws IOException {
            if (next == 0) {
              next = changeNumber(request.getSession());
            }
            while (stream.isReady() && stream.read() >= 0) {
              // Until there is no more for now.
            }
            firstPartRead.release();
          }

          @Override
          public void onAllDataRead() throws IOException {
            changeInPlace(request.getSession(), next);
            response.flushBuffer();
            async.complete();
          }

          @Override
          public void onError(Throwable failure) {
            async.complete();
          }
        });
  }

  /** Changes the session before any servlet is called. */
  private static final class Early implements ServletRequestListener {
    @Override
    public void requestInitialized(ServletRequestEvent event) {
      HttpServletRequest request = (HttpServletRequest) event.getServletRequest();
      if (request.getRequestURI().endsWith("/changed-by-request-listener")) {
        HttpSession session = request.getSession();
        Integer before = (Integer) session.getAttribute(NUMBER);
        session.setAttribute(NUMBER, before == null ? 1 : before + 1);
      }
    }
  }

  private static final class Servlet extends HttpServlet {
    private static final long serialVersionUID = 1L;
    private final transient Map<String, Style> styles;

    Servlet(Map<String, Style> styles) {
      this.styles = styles;
    }

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response)
        throws IOException, ServletException {
      Object included = request.getAttribute("jakarta.servlet.include.path_info");
      String path = included == null ? request.getPathInfo() : included.toString();
      Style style = styles.get(path.substring(1));
      if (style == null) {
        throw new ServletException("No style " + path);
      }
      style.answer(request, response);
    }
  }

  /** Changes the session, and leaves the rest to Tomcat's servlet for files. */
  private static final class FilterOfFiles extends HttpFilter {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doFilter(
        HttpServletRequest request, HttpServletResponse response, FilterChain chain)
        throws IOException, ServletException {
      change(request);
      chain.doFilter(request, response);
    }
  }

  /** The paths, below the server's root. */
  List<String> paths() {
    List<String> paths = new ArrayList<>();
    styles.keySet().forEach(name -> paths.add("styles/" + name));
    paths.addAll(
        List.of(
            "styles/page.jsp",
            "styles/big.jsp",
            "styles/forward.jsp",
            "styles/unbuffered.jsp",
            "filtered/small.txt",
            "filtered/big.txt"));
    return paths;
  }

  /** Adds the application's parts to a context that has not started. */
  void addTo(StandardContext context) {
    Wrapper servlet = Tomcat.addServlet(context, "styles", new Servlet(styles));
    servlet.setAsyncSupported(true);
    context.addServletMappingDecoded("/styles/*", "styles");
    context.addApplicationEventListener(new Early());
    Tomcat.addServlet(context, "jsp", new JspServlet());
    for (String page : List.of("page", "big", "forward", "unbuffered")) {
      context.addServletMappingDecoded("/styles/" + page + ".jsp", "jsp");
    }
    context.addServletContainerInitializer(new JasperInitializer(), null);
    Tomcat.addServlet(context, "files", new DefaultServlet());
    context.addServletMappingDecoded("/filtered/*", "files");
    filter(context);
    errorPages(context);
    try {
      files(Path.of(context.getDocBase()));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void filter(StandardContext context) {
    FilterDef definition = new FilterDef();
    definition.setFilterName("filtered");
    definition.setFilter(new FilterOfFiles());
    context.addFilterDef(definition);
    FilterMap mapping = new FilterMap();
    mapping.setFilterName("filtered");
    mapping.addURLPattern("/filtered/*");
    mapping.setDispatcher(DispatcherType.REQUEST.name());
    context.addFilterMap(mapping);
  }

  private static void errorPages(StandardContext context) {
    Map<Integer, String> pages =
        Map.of(410, "/styles/writer", 411, "/styles/big-writer", 412, "/styles/page.jsp");
    pages.forEach(
        (status, location) -> {
          ErrorPage page = new ErrorPage();
          page.setErrorCode(status);
          page.setLocation(location);
          context.addErrorPage(page);
        });
    ErrorPage page = new ErrorPage();
    page.setExceptionType(UnsupportedOperationException.class.getName());
    page.setLocation("/styles/stream");
    context.addErrorPage(page);
  }

  private static void files(Path folder) throws IOException {
    Files.createDirectories(folder.resolve("styles"));
    Files.createDirectories(folder.resolve("filtered"));
    Files.writeString(folder.resolve("filtered/small.txt"), "body");
    Files.writeString(folder.resolve("filtered/big.txt"), BODY + BODY);
    String change =
        """
        <%
          Integer before = (Integer) session.getAttribute("number");
          int next = before == null ? 1 : before + 1;
          session.setAttribute("number", next);
          java.util.List<Integer> list = (java.util.List<Integer>) session.getAttribute("list");
          if (list == null) {
            list = new java.util.ArrayList<>();
            session.setAttribute("list", list);
          }
          list.add(next);
        %>
        """;
    page(folder, "page", "<%@ page contentType=\"text/plain\" %>" + change + "body");
    page(folder, "big", change + "<% for (int i = 0; i < 9000; i++) { %>line\n<% } %>");
    page(folder, "forward", "<jsp:forward page=\"/styles/page.jsp\"/>");
    page(
        folder,
        "unbuffered",
        "<%@ page session=\"true\" buffer=\"none\" %>" + change + "body<% out.flush(); %>");
  }

  private static void page(Path folder, String name, String text) throws IOException {
    Files.writeString(folder.resolve("styles/" + name + ".jsp"), text);
  }
}
