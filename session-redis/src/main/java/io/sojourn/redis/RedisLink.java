package io.sojourn.redis;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCommandTimeoutException;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.resource.ClientResources;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.sojourn.SessionException;
import io.sojourn.StoreUnavailableException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The way to the server: one connection that all threads share, opened when it is first needed and
 * again whenever it was lost.
 *
 * <p>Every wait, for a connection or for an answer, ends with the timeout. Every call ends with an
 * answer, or an exception that says what was attempted and what to look at. Thread-safe.
 */
final class RedisLink implements AutoCloseable {

  /*
   * The driver's own reconnecting is off, for three reasons. It would send again what was on its
   * way when the connection broke, and a second remove answers false although the first one did
   * remove. It waits longer and longer between attempts, while the request at hand could have been
   * served. And it never notices a peer that is silently gone: TCP goes on for a quarter of an hour.
   *
   * So a call that finds no connection opens one, and those that come meanwhile wait for the same.
   * Once an attempt has failed, only one call at a time tries, and not before a short pause; all
   * others fail at once with the reason it had. And a connection on which nothing at all arrived
   * while a call waited for its whole timeout is dropped.
   */

  /** Between attempts to connect. */
  private static final long PAUSE_NANOS = Duration.ofMillis(100).toNanos();

  /**
   * How long the first attempt may take, if the timeout is shorter: a JVM that has just started can
   * spend seconds on loading the driver.
   */
  private static final Duration FIRST_ATTEMPT_TIME = Duration.ofSeconds(5);

  private static final Duration SHUTDOWN_TIME = Duration.ofSeconds(2);

  private static final Logger LOGGER = System.getLogger(RedisLink.class.getName());

  private static final String ACL =
      "Look at the user's ACL. Enough is: ~sojourn:* +ping +eval +evalsha +time +@hash +@sortedset"
          + " +@string +@keyspace";

  /** What the server says when it is not the question that is wrong, and what to do about it. */
  private static final Map<String, String> REFUSALS =
      Map.ofEntries(
          Map.entry("LOADING", "The server has just started and is reading its data: wait."),
          Map.entry("READONLY", "It is a replica: let the URL name the primary."),
          Map.entry("MASTERDOWN", "It is a replica without its primary: let the URL name that."),
          Map.entry("NOAUTH", "Give a password, in the URL or as an option."),
          Map.entry("WRONGPASS", "Look at the username and password."),
          Map.entry("NOPERM", ACL),
          Map.entry("ACL failure", ACL),
          Map.entry("The user executing the script can't", ACL),
          Map.entry("DENIED", "Its protected mode is on: give it a password."),
          Map.entry("OOM", "Its memory is full: look at maxmemory."),
          Map.entry("MISCONF", "It cannot write to its disk: look at its log."),
          Map.entry("NOREPLICAS", "It has too few replicas: see min-replicas-to-write."),
          Map.entry("BUSY", "A script of somebody's has been running for long: see SLOWLOG."),
          Map.entry("CLUSTERDOWN", "The cluster is not whole: see CLUSTER INFO."),
          Map.entry("TRYAGAIN", "The cluster is moving this slot."),
          Map.entry("max number of clients", "Look at CLIENT LIST and maxclients."));

  private static final Pattern REFUSAL =
      Pattern.compile("(?<![A-Za-z])(" + String.join("|", REFUSALS.keySet()) + ")(?![A-Za-z])");

  private final String url;
  private final RedisURI uri;
  private final Duration timeout;
  private final ClientResources resources;
  private final RedisClient client;
  private final Object lock = new Object();

  private volatile @Nullable StatefulRedisConnection<byte[], byte[]> connection;

  /** When anything last arrived, by {@link System#nanoTime()}. */
  private volatile long lastAnswer = System.nanoTime();

  private volatile boolean closed;

  /** An attempt to connect that is under way. */
  @GuardedBy("lock")
  private @Nullable CompletableFuture<StatefulRedisConnection<byte[], byte[]>> attempt;

  /** Whether an attempt has ended, well or not. */
  @GuardedBy("lock")
  private boolean tried;

  /** Why the last attempt failed; null if it did not. */
  @GuardedBy("lock")
  private @Nullable Throwable lastFailure;

  @GuardedBy("lock")
  private long failedAt;

  /**
   * A link that connects when it is first used.
   *
   * @param settings where to, and how long to wait
   * @param url the same for messages, without credentials
   */
  RedisLink(RedisSettings settings, String url) {
    this.url = url;
    this.uri = settings.uri();
    this.timeout = settings.timeout();
    this.resources =
        ClientResources.builder()
            .ioThreadPoolSize(2)
            .computationThreadPoolSize(2)
            .commandLatencyRecorder(CommandLatencyRecorder.disabled())
            .threadFactoryProvider(pool -> new DefaultThreadFactory("sojourn-" + pool, true))
            .build();
    this.client = RedisClient.create(resources);
    client.setOptions(
        ClientOptions.builder()
            .autoReconnect(false)
            .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .maintNotificationsConfig(MaintNotificationsConfig.disabled())
            .socketOptions(SocketOptions.builder().connectTimeout(timeout).keepAlive(true).build())
            .timeoutOptions(TimeoutOptions.create())
            .build());
  }

  /**
   * One run of a script. The arrays are not copied.
   *
   * @param script which
   * @param keys its keys, all in one bucket
   * @param arguments its further arguments
   */
  @SuppressWarnings("ArrayRecordComponent") // They go to the driver as they are.
  record Call(LuaScript script, byte[][] keys, byte[][] arguments) {

    private RedisFuture<List<Object>> send(RedisAsyncCommands<byte[], byte[]> commands) {
      return commands.evalsha(script.digest(), ScriptOutputType.MULTI, keys, arguments);
    }

    /** For a server that has not seen the script yet, or has forgotten it. */
    private RedisFuture<List<Object>> sendWhole(RedisAsyncCommands<byte[], byte[]> commands) {
      return commands.eval(script.source(), ScriptOutputType.MULTI, keys, arguments);
    }
  }

  /**
   * Runs a script.
   *
   * @param attempted what for, after "Cannot"
   * @return its answer: byte arrays, longs, and lists of them
   * @throws StoreUnavailableException if the server cannot be asked
   * @throws SessionException if it says something unexpected
   */
  List<Object> run(String attempted, Call call) {
    return ask(attempted, call.script().isRepeatable(), call::send, call::sendWhole);
  }

  /**
   * Runs scripts in one round trip.
   *
   * @param attempted what for, after "Cannot"
   * @param onAnswer takes each answer in the order of the calls
   * @throws StoreUnavailableException if the server cannot be asked; the answers before were given
   * @throws SessionException if it says something unexpected
   */
  void runAll(String attempted, List<Call> calls, Consumer<List<Object>> onAnswer) {
    StatefulRedisConnection<byte[], byte[]> connected = connect(attempted);
    List<RedisFuture<List<Object>>> answers = new ArrayList<>(calls.size());
    calls.forEach(call -> answers.add(call.send(connected.async())));
    for (int i = 0; i < calls.size(); i++) {
      Call call = calls.get(i);
      List<Object> answer;
      try {
        // As long as answers arrive, the next may take its time.
        answer = await(answers.get(i));
      } catch (ExecutionException | TimeoutException | InterruptedException | RuntimeException e) {
        if (!(reason(e) instanceof RedisNoScriptException)) {
          throw failure(attempted, connected, e);
        }
        answer = ask(attempted, false, call::sendWhole, call::sendWhole);
      }
      onAnswer.accept(answer);
    }
  }

  /**
   * Asks the server whether it is there.
   *
   * @throws StoreUnavailableException if not
   */
  void ping() {
    ask("ping", true, RedisAsyncCommands::ping, RedisAsyncCommands::ping);
  }

  /** Closes the connection and ends the driver's threads. Repeatable; never throws. */
  @Override
  public void close() {
    synchronized (lock) {
      if (closed) {
        return;
      }
      closed = true;
      connection = null;
    }
    long millis = SHUTDOWN_TIME.toMillis();
    try {
      client.shutdownAsync(0, millis, TimeUnit.MILLISECONDS).get(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException | RuntimeException e) {
      LOGGER.log(Level.DEBUG, "The connection to " + url + " did not close in order", e);
    }
    try {
      resources.shutdown(0, millis, TimeUnit.MILLISECONDS).awaitUninterruptibly(millis);
    } catch (RuntimeException e) {
      LOGGER.log(Level.DEBUG, "The driver's threads did not end in order", e);
    }
  }

  // ---------------------------------------------------------------- asking

  @CanIgnoreReturnValue
  private <T> T ask(
      String attempted,
      boolean repeatable,
      Function<RedisAsyncCommands<byte[], byte[]>, RedisFuture<T>> command,
      Function<RedisAsyncCommands<byte[], byte[]>, RedisFuture<T>> ifScriptIsUnknown) {
    Function<RedisAsyncCommands<byte[], byte[]>, RedisFuture<T>> next = command;
    boolean mayRepeat = repeatable;
    while (true) {
      StatefulRedisConnection<byte[], byte[]> connected = connect(attempted);
      try {
        return await(next.apply(connected.async()));
      } catch (ExecutionException | TimeoutException | InterruptedException | RuntimeException e) {
        if (reason(e) instanceof RedisNoScriptException && next != ifScriptIsUnknown) {
          next = ifScriptIsUnknown;
        } else if (mayRepeat && isLoss(reason(e))) {
          // The server may have been started again, or have closed what was idle for long.
          mayRepeat = false;
          drop(connected);
        } else {
          throw failure(attempted, connected, e);
        }
      }
    }
  }

  private <T> T await(RedisFuture<T> future)
      throws ExecutionException, TimeoutException, InterruptedException {
    try {
      T answer = future.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
      lastAnswer = System.nanoTime();
      return answer;
    } finally {
      future.cancel(true);
    }
  }

  // ---------------------------------------------------------------- connecting

  private StatefulRedisConnection<byte[], byte[]> connect(String attempted) {
    StatefulRedisConnection<byte[], byte[]> present = connection;
    if (present != null && present.isOpen()) {
      return present;
    }
    CompletableFuture<StatefulRedisConnection<byte[], byte[]>> opening;
    Duration patience = timeout;
    synchronized (lock) {
      present = connection;
      if (present != null && present.isOpen()) {
        return present;
      }
      if (present != null) {
        // The client would keep it for ever.
        drop(present);
      }
      opening = attempt;
      if (closed
          || (lastFailure != null
              && (opening != null || System.nanoTime() - failedAt < PAUSE_NANOS))) {
        throw unavailable(attempted, lastFailure);
      }
      if (!tried && timeout.compareTo(FIRST_ATTEMPT_TIME) < 0) {
        patience = FIRST_ATTEMPT_TIME;
      }
      if (opening == null) {
        RedisURI patient = RedisURI.builder(uri).withTimeout(patience).build();
        opening = client.connectAsync(ByteArrayCodec.INSTANCE, patient).toCompletableFuture();
        attempt = opening;
        opening = opening.whenComplete(this::attempted);
      }
    }
    try {
      return opening.get(patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unavailable(attempted, e);
    } catch (ExecutionException | CancellationException e) {
      throw unavailable(attempted, e);
    } catch (TimeoutException e) {
      synchronized (lock) {
        if (attempt != null) {
          failed(e);
        }
      }
      throw unavailable(attempted, e);
    }
  }

  private void attempted(
      @Nullable StatefulRedisConnection<byte[], byte[]> opened, @Nullable Throwable failure) {
    synchronized (lock) {
      attempt = null;
      tried = true;
      if (opened == null) {
        failed(failure == null ? new IllegalStateException("No connection") : failure);
      } else if (closed) {
        var unused = opened.closeAsync();
      } else {
        lastAnswer = System.nanoTime();
        lastFailure = null;
        connection = opened;
      }
    }
  }

  private void failed(Throwable why) {
    synchronized (lock) {
      lastFailure = why;
      failedAt = System.nanoTime();
    }
  }

  /** Has the next call open another connection; what is still waiting on this one fails. */
  private void drop(StatefulRedisConnection<byte[], byte[]> lost) {
    synchronized (lock) {
      if (connection != lost) {
        return;
      }
      connection = null;
    }
    var unused = lost.closeAsync();
  }

  // ---------------------------------------------------------------- failing

  private SessionException failure(
      String attempted, StatefulRedisConnection<byte[], byte[]> connected, Exception exception) {
    Throwable reason = reason(exception);
    if (reason instanceof InterruptedException) {
      Thread.currentThread().interrupt();
      return unavailable(attempted, reason);
    }
    if (reason instanceof TimeoutException) {
      if (System.nanoTime() - lastAnswer >= timeout.toNanos()) {
        drop(connected);
      }
      return unavailable(attempted, reason);
    }
    if (isLoss(reason)) {
      drop(connected);
      return unavailable(attempted, reason);
    }
    if (reason instanceof RedisCommandExecutionException) {
      lastAnswer = System.nanoTime();
      String refusal = refusal(reason);
      if (refusal != null) {
        if (refusal.equals("READONLY") || refusal.equals("MASTERDOWN")) {
          // After a failover, the same name leads to another server.
          failed(reason);
          drop(connected);
        }
        return unavailable(attempted, reason);
      }
    }
    return new SessionException(
        "Cannot " + attempted + " in " + url + ": unexpectedly, " + said(reason), reason);
  }

  private StoreUnavailableException unavailable(String attempted, @Nullable Throwable reason) {
    String what;
    if (closed) {
      what = "the store has been closed.";
    } else if (reason instanceof InterruptedException) {
      what = "the thread was interrupted while it waited for the answer.";
    } else if (reason instanceof TimeoutException
        || (reason != null && root(reason) instanceof RedisCommandTimeoutException)) {
      what =
          "no answer in time (timeout: "
              + timeout.toMillis()
              + " ms). Look at the server's load (SLOWLOG, LATENCY) and the network, or raise the"
              + " option 'timeout'.";
    } else if (reason == null) {
      what = "there is no connection.";
    } else {
      String refusal = refusal(root(reason));
      what =
          said(root(reason))
              + (refusal == null
                  ? ". Does a Redis server listen there, and does the network let it be reached?"
                  : ". " + REFUSALS.get(refusal));
    }
    return new StoreUnavailableException(
        "Cannot " + attempted + " in " + url + ": " + what, reason);
  }

  /** Whether the connection broke, was closed or could not take the command. */
  private static boolean isLoss(Throwable reason) {
    return reason instanceof IOException
        || reason instanceof CancellationException
        || reason instanceof RejectedExecutionException
        || (reason instanceof RedisException
            && !(reason instanceof RedisCommandExecutionException));
  }

  /** What the server says when it is not the question that is wrong; null if it does not. */
  private static @Nullable String refusal(Throwable reason) {
    // Up to Redis 6, what went wrong within a script comes behind the script's name.
    Matcher matcher = REFUSAL.matcher(String.valueOf(reason.getMessage()));
    return matcher.find() ? matcher.group(1) : null;
  }

  private static Throwable reason(Exception exception) {
    Throwable cause = exception.getCause();
    return exception instanceof ExecutionException && cause != null ? cause : exception;
  }

  private static Throwable root(Throwable throwable) {
    Throwable root = throwable;
    for (int depth = 0; depth < 20; depth++) {
      Throwable cause = root.getCause();
      if (cause == null) {
        break;
      }
      root = cause;
    }
    return root;
  }

  private static String said(Throwable throwable) {
    String message = throwable.getMessage();
    return message == null ? throwable.getClass().getSimpleName() : message;
  }
}
