package io.sojourn.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisBusyException;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisReadOnlyException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.output.ArrayOutput;
import io.lettuce.core.protocol.CommandEncoder;
import io.lettuce.core.protocol.CommandHandler;
import io.lettuce.core.protocol.CommandType;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.NettyCustomizer;
import io.netty.channel.Channel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.internal.logging.InternalLoggerFactory;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.logging.LogRecord;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The driver's threads and settings, for all connections of a store. Thread-safe. */
final class RedisDriver implements AutoCloseable {

  private static final Logger LOGGER = System.getLogger(RedisDriver.class.getName());

  /*
   * At its finest level the driver logs all that it sends and receives: passwords, and what is in sessions. Where its log goes to
   * java.util.logging, as it does in the jar for Tomcat's lib, that is left out. The list keeps the loggers, which would be forgotten.
   */
  private static final List<java.util.logging.Logger> LOGGERS_OF_CONTENT =
      Stream.of(CommandEncoder.class, CommandHandler.class).map(RedisDriver::loggerOf).toList();

  private static final Duration SHUTDOWN_TIME = Duration.ofSeconds(2);

  /**
   * How long the first attempt to connect may take, if the timeout is shorter: a JVM that has just
   * started can spend seconds on loading the driver.
   */
  private static final Duration FIRST_ATTEMPT_TIME = Duration.ofSeconds(5);

  /** In the answer to INFO, if there is a limit and a policy beside it. */
  private static final Pattern EVICTING =
      Pattern.compile("(?s)\\bmaxmemory:[1-9].*\\bmaxmemory_policy:(?!noeviction)([a-z-]+)");

  private final ClientResources resources;
  private final RedisClient client;

  /** In the answer to INFO: what the server calls the history of its data. */
  private static final Pattern REPLICATION_ID = Pattern.compile("\\bmaster_replid:(\\w+)");

  private final AtomicLong histories = new AtomicLong();

  /**
   * Whether a web application has this class in its own lib: the server's threads are not to keep
   * anything of its class loader's then.
   */
  private final boolean ofApplication;

  private final AtomicBoolean asked = new AtomicBoolean();
  private volatile boolean tried;
  private volatile boolean closed;

  private static java.util.logging.Logger loggerOf(Class<?> source) {
    // Tomcat has loggers of this name for each class loader; the driver keeps to the first.
    var unused = InternalLoggerFactory.getInstance(source);
    return java.util.logging.Logger.getLogger(source.getName());
  }

  private static boolean isWithoutContent(LogRecord logged) {
    return logged.getLevel().intValue() > java.util.logging.Level.FINEST.intValue();
  }

  /** Whether it is a container's own class loader: no application's has the servlet API. */
  private static boolean isContainers(ClassLoader loader) {
    try {
      return Class.forName("jakarta.servlet.Servlet", false, loader).getClassLoader() == loader;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  RedisDriver(RedisSettings settings) {
    ClassLoader own = RedisDriver.class.getClassLoader();
    this.ofApplication =
        own == Thread.currentThread().getContextClassLoader()
            && own != ClassLoader.getSystemClassLoader()
            && !isContainers(own);
    LOGGERS_OF_CONTENT.forEach(logger -> logger.setFilter(RedisDriver::isWithoutContent));
    this.resources =
        ClientResources.builder()
            .ioThreadPoolSize(2)
            .computationThreadPoolSize(2)
            .commandLatencyRecorder(CommandLatencyRecorder.disabled())
            .threadFactoryProvider(OwnThreads::new)
            .nettyCustomizer(new Arrivals())
            .build();
    this.client = RedisClient.create(resources);
    client.setOptions(
        ClientOptions.builder()
            .autoReconnect(false)
            .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .maintNotificationsConfig(MaintNotificationsConfig.disabled())
            .socketOptions(
                SocketOptions.builder().connectTimeout(settings.timeout()).keepAlive(true).build())
            .sslOptions(settings.ssl())
            .timeoutOptions(TimeoutOptions.create())
            .build());
  }

  /** Has each connection tell of answers that arrive. */
  private static final class Arrivals implements NettyCustomizer {

    @Override
    public void afterChannelInitialized(Channel channel) {
      CommandHandler commands = channel.pipeline().get(CommandHandler.class);
      var unused = channel.pipeline().addFirst(new ArrivalHandler(commands));
    }
  }

  /** Threads that do not hold on to the class loader of whoever happens to need the first one. */
  private static final class OwnThreads extends DefaultThreadFactory {

    OwnThreads(String pool) {
      super("sojourn-" + pool, true);
    }

    @Override
    protected Thread newThread(Runnable work, String name) {
      Thread thread = super.newThread(work, name);
      thread.setContextClassLoader(RedisDriver.class.getClassLoader());
      return thread;
    }
  }

  /** How long to wait for a connection, where an answer is awaited for so long. */
  Duration patience(Duration timeout) {
    return tried || timeout.compareTo(FIRST_ATTEMPT_TIME) > 0 ? timeout : FIRST_ATTEMPT_TIME;
  }

  /** Takes note that an attempt to connect has ended, well or not. */
  void hasTried() {
    tried = true;
  }

  /**
   * Opens a connection that stays closed once it was lost, to a server that is no replica: that
   * would answer from what it has got so far.
   */
  CompletableFuture<StatefulRedisConnection<byte[], byte[]>> connectToPrimary(RedisURI uri) {
    return connect(uri, connection -> primary(connection, uri.getTimeout()));
  }

  private <T> CompletableFuture<T> connect(
      RedisURI uri, Function<StatefulRedisConnection<byte[], byte[]>, CompletionStage<T>> look) {
    return begun(() -> client.connectAsync(ByteArrayCodec.INSTANCE, uri))
        .thenCompose(
            connection ->
                look.apply(connection)
                    .whenComplete(
                        (seen, failure) -> {
                          if (failure != null) {
                            var unused = connection.closeAsync();
                          } else if (asked.compareAndSet(false, true)) {
                            askForEviction(connection);
                          }
                        }));
  }

  /**
   * A connection to a server.
   *
   * @param replicationId what the server calls the history of its data: it changes when a replica
   *     becomes a primary, and when a server is started again; empty if it does not let us ask
   */
  record Opened(StatefulRedisConnection<byte[], byte[]> connection, String replicationId) {}

  /**
   * Opens a connection that stays closed once it was lost, and asks for the replication id.
   *
   * @param toPrimary whether a replica will not do
   */
  CompletableFuture<Opened> connectAsking(RedisURI uri, boolean toPrimary) {
    return connect(
        uri,
        connection ->
            (toPrimary
                    ? primary(connection, uri.getTimeout())
                    : CompletableFuture.completedStage(connection))
                .thenCompose(checked -> replicationId(checked, uri.getTimeout()))
                .thenApply(id -> new Opened(connection, id)));
  }

  private CompletionStage<String> replicationId(
      StatefulRedisConnection<byte[], byte[]> connection, Duration patience) {
    return within(patience, connection.async().info("replication"))
        .exceptionally(failure -> refused(failure, ""))
        .thenApply(
            info -> {
              Matcher said = REPLICATION_ID.matcher(info);
              return said.find() ? said.group(1) : "";
            });
  }

  /** An answer in place of a refusal; what is none, or lasts for a moment only, is a failure. */
  private static <T> T refused(Throwable failure, T answer) {
    if (failure instanceof RedisCommandExecutionException
        && !(failure instanceof RedisBusyException)) {
      return answer;
    }
    throw new CompletionException(failure);
  }

  /**
   * Begins a history, as {@link io.sojourn.SessionStore#history} says.
   *
   * @param publish makes its number known, which is above all that were published before
   */
  void beginHistory(LongConsumer publish) {
    synchronized (histories) {
      publish.accept(histories.incrementAndGet());
    }
  }

  /**
   * Fails as a write would fail, or as the way to the server has. A server that does not say what
   * it is may be one.
   */
  private CompletionStage<StatefulRedisConnection<byte[], byte[]>> primary(
      StatefulRedisConnection<byte[], byte[]> connection, Duration patience) {
    return within(
            patience,
            connection
                .async()
                .dispatch(CommandType.HELLO, new ArrayOutput<>(ByteArrayCodec.INSTANCE)))
        .exceptionally(failure -> refused(failure, List.of()))
        .thenApply(
            said -> {
              if (isReplica(said)) {
                throw new RedisReadOnlyException("READONLY The server says that it is a replica");
              }
              return connection;
            });
  }

  /** The server's answer to {@code HELLO}: names and values, {@code role} among them. */
  private static boolean isReplica(List<Object> said) {
    for (int i = 0; i + 1 < said.size(); i += 2) {
      if (isText(said.get(i), "role")) {
        return isText(said.get(i + 1), "replica") || isText(said.get(i + 1), "slave");
      }
    }
    return false;
  }

  private static boolean isText(Object said, String text) {
    return said instanceof byte[] bytes && Arrays.equals(bytes, text.getBytes(US_ASCII));
  }

  /** Warns if the server says that it drops keys. One that does not let us ask is fine. */
  private static void askForEviction(StatefulRedisConnection<byte[], byte[]> connection) {
    var unused =
        connection
            .async()
            .info("memory")
            .thenAccept(
                info -> {
                  Matcher evicting = EVICTING.matcher(info);
                  if (evicting.find()) {
                    LOGGER.log(
                        Level.WARNING,
                        "The Redis server drops keys when its memory is full (maxmemory-policy {0}):"
                            + " that ends sessions silently. Set maxmemory-policy to noeviction.",
                        evicting.group(1));
                  }
                });
  }

  /** The same, to listen to what is published there. */
  CompletableFuture<StatefulRedisPubSubConnection<String, String>> connectPubSub(RedisURI uri) {
    return begun(() -> client.connectPubSubAsync(StringCodec.UTF8, uri));
  }

  /** What the driver throws, as it does for want of credentials, is a failure like others. */
  private <T> CompletableFuture<T> begun(Supplier<? extends CompletionStage<T>> connecting) {
    try {
      return closed
          ? CompletableFuture.failedFuture(new RedisException("The driver has been closed"))
          : connecting.get().toCompletableFuture();
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /**
   * The same as the driver's, and a failure if it takes longer. The JDK's own way starts a thread
   * that never ends, with the class loader of whoever needs it first.
   */
  <T> CompletableFuture<T> within(Duration time, CompletionStage<T> stage) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Future<?> alarm;
    try {
      alarm =
          resources
              .eventExecutorGroup()
              .schedule(
                  () -> result.completeExceptionally(new TimeoutException()),
                  time.toMillis(),
                  TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException closed) {
      result.completeExceptionally(closed);
      return result;
    }
    // Not dependent on the driver's, whose failures would come wrapped.
    var unused =
        stage.whenComplete(
            (value, failure) -> {
              alarm.cancel(false);
              if (failure == null) {
                result.complete(value);
              } else {
                result.completeExceptionally(failure);
              }
            });
    return result;
  }

  /** Does something after a while, unless this is closed by then. */
  void later(Duration delay, Runnable work) {
    Runnable unlessClosed =
        () -> {
          if (!closed) {
            work.run();
          }
        };
    var unused =
        resources
            .eventExecutorGroup()
            .schedule(unlessClosed, delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  /**
   * Waits for connections to be closed: the driver, closed next, would warn of those that are being
   * closed already. Never throws.
   */
  static void awaitClosed(Future<?> closing, Duration atMost) {
    try {
      closing.get(atMost.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOGGER.log(Level.DEBUG, "Connections to Redis did not close in order", e);
    }
  }

  /** Drops what the driver's libraries keep for the calling thread, which outlives the store. */
  void forgetThread() {
    if (ofApplication) {
      FastThreadLocal.removeAll();
    }
  }

  /** Closes what is open and ends the threads. Repeatable; never throws. */
  @Override
  public void close() {
    // Whoever connected from now on would meet threads that have ended, of which the driver
    // complains.
    closed = true;
    long millis = SHUTDOWN_TIME.toMillis();
    try {
      client.shutdownAsync(0, millis, TimeUnit.MILLISECONDS).get(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException | RuntimeException e) {
      LOGGER.log(Level.DEBUG, "The connections to Redis did not close in order", e);
    }
    try {
      resources.shutdown(0, millis, TimeUnit.MILLISECONDS).awaitUninterruptibly(millis);
    } catch (RuntimeException e) {
      LOGGER.log(Level.DEBUG, "The driver's threads did not end in order", e);
    }
    forgetThread();
  }
}
