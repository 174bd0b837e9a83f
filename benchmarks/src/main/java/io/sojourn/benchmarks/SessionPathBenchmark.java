package io.sojourn.benchmarks;

import io.sojourn.AttributeCodec;
import io.sojourn.InMemorySessionStore;
import io.sojourn.LiveSession;
import io.sojourn.SessionPolicy;
import io.sojourn.SessionRepository;
import io.sojourn.codec.ClassFilter;
import io.sojourn.codec.KryoCodec;
import io.sojourn.testkit.SamplePayloads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does the core itself add to a request, without a network? A session with 40 attributes of
 * which one is a cart of 20 items, over a store in this JVM's memory; {@code digestOfTheId} is a
 * part of every other figure and the measure to compare them with.
 *
 * <pre>
 * mvn -q -DskipTests -pl benchmarks -am package
 * java -jar benchmarks/target/benchmarks.jar SessionPath -prof gc
 * </pre>
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@State(Scope.Thread)
public class SessionPathBenchmark {

  private static final String ID = "0123456789ABCDEF0123456789ABCDEF";

  private final SessionRepository repository;
  private final SessionRepository causal;
  private final LiveSession session;
  private final ToLongFunction<LiveSession> seenVersion = this::seenOf;
  private long seen;
  private int counter;

  /** For JMH. */
  public SessionPathBenchmark() {
    AttributeCodec codec =
        new KryoCodec(
            SessionPathBenchmark.class.getClassLoader(), ClassFilter.of("io.sojourn.testkit.*"));
    InMemorySessionStore store = new InMemorySessionStore();
    repository = new SessionRepository(store, codec, SessionPolicy.DEFAULT);
    causal =
        new SessionRepository(
            store,
            codec,
            SessionPolicy.DEFAULT.with(SessionPolicy.Freshness.CAUSAL, Duration.ofSeconds(5)));
    session = repository.create(ID, Duration.ofMinutes(30));
  }

  private long seenOf(LiveSession copy) {
    return seen;
  }

  /** Stores the session. */
  @Setup
  public void store() {
    repository.beginUse(session);
    for (int i = 0; i < 39; i++) {
      session.setAttribute("attribute-" + i, "value " + i);
    }
    session.setAttribute("cart", new ArrayList<>(SamplePayloads.cart(20)));
    repository.flush(session);
    repository.endUse(session);
    seen = session.seenVersion();
  }

  /** The part that no request can do without. */
  @Benchmark
  public Object digestOfTheId() {
    return io.sojourn.SessionKey.of(ID);
  }

  /** Opens a session that has not changed: the store, which is this JVM's memory, is asked. */
  @Benchmark
  public @Nullable Object openUnchangedStrict() {
    return repository.open(ID);
  }

  /** The same for a client that has seen this version: the store is not asked. */
  @Benchmark
  public @Nullable Object openUnchangedCausal() {
    return causal.open(ID, seenVersion);
  }

  /** Reads one immutable attribute among many of an open session. */
  @Benchmark
  public @Nullable Object readOneOfMany() {
    return session.attribute("attribute-7");
  }

  /** Saves a session of which nothing has been used. */
  @Benchmark
  public boolean flushNothing() {
    return repository.flush(session);
  }

  /** Saves a session of which one small attribute has been set. */
  @Benchmark
  public boolean flushOneAttribute() {
    session.setAttribute("attribute-7", counter++);
    return repository.flush(session);
  }

  /** Looks whether the cart, which has been handed out, was changed: it was not. */
  @Benchmark
  public boolean dirtyCheckOfTheCart() {
    Object cart = session.attribute("cart");
    return repository.flush(session) && cart != null;
  }

  /** A request that reads one immutable attribute among many. */
  @Benchmark
  public @Nullable Object readOneAttribute() {
    LiveSession opened = Objects.requireNonNull(repository.open(ID));
    repository.beginUse(opened);
    Object value = opened.attribute("attribute-7");
    repository.flush(opened);
    repository.endUse(opened);
    return value;
  }

  /** The same without asking the store, whose client has seen this version. */
  @Benchmark
  public @Nullable Object readOneAttributeCausally() {
    LiveSession opened = Objects.requireNonNull(causal.open(ID, seenVersion));
    causal.beginUse(opened);
    Object value = opened.attribute("attribute-7");
    causal.flush(opened);
    causal.endUse(opened);
    return value;
  }

  /** A request that reads the cart, which is then checked for changes. */
  @Benchmark
  public @Nullable Object readTheCart() {
    LiveSession opened = Objects.requireNonNull(repository.open(ID));
    repository.beginUse(opened);
    Object value = opened.attribute("cart");
    repository.flush(opened);
    repository.endUse(opened);
    return value;
  }

  /** A request that sets one small attribute. */
  @Benchmark
  public boolean writeOneAttribute() {
    LiveSession opened = Objects.requireNonNull(repository.open(ID));
    repository.beginUse(opened);
    opened.setAttribute("attribute-7", counter++);
    boolean saved = repository.flush(opened);
    repository.endUse(opened);
    return saved;
  }
}
