package io.sojourn.testkit.server;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.testcontainers.containers.GenericContainer;

/**
 * A running Redis.
 *
 * <p>One that was started here persists nothing: it is empty again after {@link #kill()} and {@link
 * #start()}. Thread-safe.
 */
public final class RedisServer extends RunningServer {

  private static final String PROPERTY = "sojourn.test.redis";
  private static final int DEFAULT_PORT = 6379;
  private static final String IMAGE = "redis:7.4-alpine";

  private final RedisAccess access;
  private final String url;

  private RedisServer(Lifecycle lifecycle, RedisAccess access, String url) {
    super(lifecycle);
    this.access = access;
    this.url = url;
  }

  /**
   * Starts a Redis for the caller alone, who may kill it and has to close it.
   *
   * @param arguments what {@code redis-server} is told beyond the port and such, for instance
   *     {@code "--maxmemory", "5mb"} or {@code "--user", "sojourn on >secret ~sojourn:* +@all"};
   *     one with spaces stands for its words
   * @throws IllegalStateException if none can be started; the message says what was tried
   */
  public static RedisServer startPrivate(String... arguments) {
    List<String> words = RedisProgram.words(arguments);
    List<ServerSearch.Way> ways = new ArrayList<>();
    ways.add(
        new ServerSearch.Way(
            "Docker",
            () ->
                DockerContainer.launch(
                    () -> container(words),
                    DEFAULT_PORT,
                    port ->
                        RedisProgram.answers(
                            RedisAccess.OPEN, port, "process_id:", !words.isEmpty()))));
    ways.addAll(ways(executable -> new RedisProgram(executable, RedisAccess.OPEN, words)));
    return firstThatStarts(RedisAccess.OPEN, ways);
  }

  /**
   * Starts a Redis that does not let anybody in, for the caller alone, who may kill it and has to
   * close it. Its {@link #url()} is {@code redis://127.0.0.1:port} or {@code
   * rediss://127.0.0.1:port}.
   *
   * @param access whom it lets in
   * @throws IllegalStateException if none can be started; the message says what was tried
   */
  public static RedisServer startPrivate(RedisAccess access) {
    return launch(access, executable -> new RedisProgram(executable, access, List.of()));
  }

  /**
   * Starts a Redis that takes TLS connections only, for the caller alone, who may kill it and has
   * to close it. Its {@link #url()} is {@code rediss://127.0.0.1:port}; clients that trust the
   * {@linkplain TlsCertificates#trustStore() trust store} reach it there, and as {@code localhost}
   * too.
   *
   * @param certificates the server's certificate is one of these, and has to stay open as long as
   *     the server
   * @param arguments what {@code redis-server} is told beyond that; with {@code
   *     "--tls-auth-clients", "yes"} clients have to show {@linkplain
   *     TlsCertificates#clientKeyStore() a certificate} too
   * @throws IllegalStateException if none can be started; the message says what was tried
   */
  public static RedisServer startPrivateTls(TlsCertificates certificates, String... arguments) {
    List<String> words = RedisProgram.words(arguments);
    RedisAccess access = RedisAccess.byTls(certificates);
    return launch(access, executable -> new RedisProgram(executable, access, words));
  }

  /** Returns the server that somebody gave for tests, or else a private one. */
  static RedisServer startShared() {
    return GivenAddress.of(PROPERTY).map(RedisServer::at).orElseGet(RedisServer::startPrivate);
  }

  /** Returns the server at a {@code redis:} address, which may carry a password and the like. */
  static RedisServer at(String url) {
    return new RedisServer(
        GivenAddress.reach(URI.create(url), DEFAULT_PORT), RedisAccess.OPEN, url);
  }

  /**
   * Starts a server as a process of this machine.
   *
   * @param access whom it lets in
   * @param program how to run the executable at a path
   * @throws IllegalStateException if none can be started; the message says what was tried
   */
  static RedisServer launch(RedisAccess access, Function<Path, RedisProgram> program) {
    return firstThatStarts(access, ways(program));
  }

  private static List<ServerSearch.Way> ways(Function<Path, RedisProgram> program) {
    return List.of(
        new ServerSearch.Way(
            RedisProgram.PROGRAM + " on the PATH",
            () -> PrivateProcess.launch(program.apply(RedisProgram.onPath()))),
        new ServerSearch.Way(
            "the Maven artifact " + RedisProgram.ARTIFACT,
            () -> PrivateProcess.launch(program.apply(RedisProgram.inArtifact()))));
  }

  private static RedisServer firstThatStarts(RedisAccess access, List<ServerSearch.Way> ways) {
    Lifecycle lifecycle = ServerSearch.firstThatStarts("Redis", PROPERTY, ways);
    String url = access.scheme() + "://" + lifecycle.host() + ":" + lifecycle.port();
    return new RedisServer(lifecycle, access, url);
  }

  /** Returns {@code redis://127.0.0.1:port}, or the address that was given for tests. */
  public String url() {
    return url;
  }

  /**
   * Returns how many keys it has, of whichever application.
   *
   * @throws IOException if it cannot be asked
   */
  public long keys() throws IOException {
    return Long.parseLong(RedisConnection.ask(this, "DBSIZE"));
  }

  /** Returns how to connect to it. */
  RedisAccess access() {
    return access;
  }

  private static GenericContainer<?> container(List<String> arguments) {
    return new GenericContainer<>(IMAGE)
        .withCommand(
            Stream.of(List.of(RedisProgram.PROGRAM), RedisProgram.withoutDisk(), arguments)
                .flatMap(List::stream)
                .toArray(String[]::new));
  }
}
