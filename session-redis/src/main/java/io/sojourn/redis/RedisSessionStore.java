package io.sojourn.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.sojourn.AttributeChange;
import io.sojourn.ChangeListener;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.PrincipalKey;
import io.sojourn.SessionBusyException;
import io.sojourn.SessionDelta;
import io.sojourn.SessionException;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import io.sojourn.StoredAttribute;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Keeps sessions in Redis 6.2 or newer, or in Valkey.
 *
 * <p>Every operation is one script run by the server, so it is atomic and one round trip; {@link
 * #claimExpired} takes one round trip to look and as many as it takes to fetch what it claims. The
 * server's clock decides. The server needs to keep what it is given: {@code maxmemory-policy
 * noeviction}, and a persistence that suits how much may be lost with it.
 *
 * <p>Opening does not connect; the first call does, and so does any later one that finds the
 * connection lost. Thread-safe.
 */
public final class RedisSessionStore implements SessionStore {

  /*
   * A session, as redis-cli shows it. It lies under its origin, for good:
   *
   *   HGETALL sojourn:{shop:2a}:session:6a09…
   *     session 7 1767222000000 1767223000000 1800000 60000 1767224860000 - - xK3v…
   *       version, creation time, last access, max inactive interval, touch interval; then, or a
   *       dash: expiry, when a claim ends, the key it was renamed to, what nodes' last saves are known by
   *     index \xffcart\xfe7\xffuser\xfe-5           which version wrote it, or removed it
   *     :cart <bytes>                               an attribute
   *     lease -81985529216486896 1767223005000 - 0  who has it alone, until when; who is next, and for how long
   *     user <16 bytes>                             who is logged in
   *   GET sojourn:{shop:2a}:door:d34f…              the way from the key to the session
   *   ZRANGE sojourn:{shop:2a}:expiry 0 -1 WITHSCORES
   *     6a09… 1767224860000                         when to look at it
   *     user:6a09… 1190112520884487168              whose it is: by 48 bits of the user's key
   *
   * The index begins with what was written last. So it answers "what changed since version 5" by its
   * first entries, whatever the number of attributes, and neither that answer nor "nothing" touches
   * a value that the caller has. docs/decisions.md compares it with other layouts.
   *
   * The keys of a script lie in one bucket, and a bucket in one slot of a cluster. So a session that
   * is renamed stays in its bucket: the new id has to be chosen accordingly. The script finds the
   * session behind a door by the name that the door holds.
   *
   * Any script may be run twice, when the connection was lost before its answer came. A save notes
   * by which node it is and what it alone is known by, so that the second run does nothing: by then
   * another node may have saved. A node saves a session once at a time, as SessionRepository does.
   */

  private static final Logger LOGGER = System.getLogger(RedisSessionStore.class.getName());

  /** What an attribute's field begins with, to tell it from the fields of the session itself. */
  private static final byte ATTRIBUTE = ':';

  /** The other fields, how many words the first one has at least, and what stands for none. */
  private static final byte[] SESSION = "session".getBytes(US_ASCII);

  private static final byte[] INDEX = "index".getBytes(US_ASCII);
  private static final int WORDS = 9;
  private static final String NONE = "-";

  /** What stands around the names in an index, as it does not occur in UTF-8. */
  private static final byte NAME_BEGIN = (byte) 0xff;

  private static final byte NAME_END = (byte) 0xfe;

  /** What scripts answer that find no session, and those that have done what they were run for. */
  private static final int MISSING = 0;

  private static final int DONE = 1;

  private static final int DONE_BEFORE = 2;

  /** What the script of a save answers to a holder that has lost its lease. */
  private static final int LEASE_LOST = -1;

  /** How many of a session's keys every script may touch, and how many one that has to find it. */
  private static final int OF_ORIGIN = 2;

  private static final int OF_KEY = 3;

  /** A clock's offset at which everything has expired that ever does. */
  private static final long LATER_THAN_ALL = 1L << 53;

  /** How many bytes of sessions are claimed together, and how many buckets are asked at once. */
  private static final long MOST_CLAIMED = 8L * 1024 * 1024;

  private static final int AT_ONCE = 8;

  /** From how many bytes on others should not wait behind a call. */
  private static final int LONG_CALL = 16 * 1024;

  private static final byte[] NOTHING = {};
  private static final byte[] SET = "set".getBytes(US_ASCII);
  private static final byte[] REPLACE = "replace".getBytes(US_ASCII);
  private static final byte[] REMOVE = "remove".getBytes(US_ASCII);
  private static final byte[] USER = "user".getBytes(US_ASCII);

  /**
   * From where on scores in a bucket's queue are no times, but tell whose a session is: 48 bits of
   * the user's key, times the distance of doubles in that range.
   */
  private static final long FIRST_RANK = 1L << 60;

  private static final int RANK_BITS = 48;
  private static final int RANK_SHIFT = 8;

  private final RedisDriver driver;
  private final ScriptRunner scripts;
  private final boolean ofCluster;
  private final RedisKeys keys;
  private final Supplier<Duration> clockOffset;

  /** What scripts know this store by. */
  private final byte[] node = random();

  /**
   * Opens a store without connecting.
   *
   * @param configuration its URL and options; {@link RedisSessionStoreProvider} lists them
   * @throws IllegalArgumentException if the URL or an option is wrong; the message names it
   */
  public RedisSessionStore(StoreConfiguration configuration) {
    RedisSettings settings = RedisSettings.of(configuration);
    String url = configuration.printableUrl();
    this.driver = new RedisDriver(settings);
    this.ofCluster = settings.isCluster();
    this.scripts =
        new ForgetfulRunner(
            ofCluster
                ? new RedisCluster(driver, settings, url)
                : new RedisLinks(driver, settings, url),
            driver);
    this.keys = new RedisKeys(configuration.application());
    this.clockOffset = configuration.clockOffset();
    driver.forgetThread();
  }

  @Override
  public boolean create(NewSession session) {
    Arguments arguments =
        arguments()
            .add(session.version())
            .add(session.creationTime().toEpochMilli())
            .add(millis(session.timeout().maxInactiveInterval()))
            .add(millis(session.timeout().touchInterval()));
    session.attributes().forEach((name, value) -> arguments.add(name).add(value.bytes()));
    if (!session.principal().isNobody()) {
      arguments.add(user(session.principal()));
    }
    return isDone(run("create", LuaScript.CREATE, OF_KEY, session.key(), arguments));
  }

  @Override
  public LoadResult load(SessionKey key, long knownVersion, Duration unasked) {
    Arguments arguments = arguments().add(knownVersion).add(millis(unasked));
    if (knownVersion < FIRST_VERSION) {
      arguments.mayBeLong();
    }
    Object answer = run("load", LuaScript.LOAD, OF_KEY, key, arguments).value();
    if (answer == null) {
      return new LoadResult.Missing();
    }
    if (answer instanceof Long accessed) {
      return new LoadResult.Unchanged(Instant.ofEpochMilli(accessed));
    }
    Parts parts = Parts.of(answer);
    if (parts.get(0) instanceof Long) {
      return changed(parts);
    }
    return new LoadResult.Found(parts.get(1) instanceof List ? record(parts) : record(key, parts));
  }

  @Override
  public OptionalLong save(SessionDelta delta) {
    return save(delta, NOTHING);
  }

  @Override
  public OptionalLong save(SessionDelta delta, long holder) {
    return save(delta, ascii(holder));
  }

  private OptionalLong save(SessionDelta delta, byte[] holder) {
    Arguments arguments = arguments().add(millis(delta.idle()));
    delta
        .timeout()
        .ifPresentOrElse(
            timeout ->
                arguments
                    .add(millis(timeout.maxInactiveInterval()))
                    .add(millis(timeout.touchInterval())),
            () -> arguments.add(NOTHING).add(NOTHING));
    arguments.add(node).add(random()).add(holder);
    delta.principal().ifPresent(principal -> arguments.add(USER).add(user(principal)));
    delta.changes().forEach((name, change) -> addChange(arguments, name, change));
    long version = number(run("save", LuaScript.SAVE, OF_ORIGIN, delta.origin(), arguments));
    if (version == LEASE_LOST) {
      throw new SessionBusyException(
          "Session " + delta.origin() + " is not saved: its lease has gone to another request",
          null);
    }
    return version == 0 ? OptionalLong.empty() : OptionalLong.of(version);
  }

  @Override
  public Lease lease(SessionKey key, long holder, Duration leaseTime) {
    Arguments arguments = arguments().add(holder).add(millis(leaseTime)).add(millis(TURN_TIME));
    int answer = (int) number(run("lease", LuaScript.LEASE, OF_KEY, key, arguments));
    return switch (answer) {
      case MISSING -> Lease.MISSING;
      case DONE -> Lease.TAKEN;
      default -> Lease.BUSY;
    };
  }

  @Override
  public void release(SessionKey origin, long holder) {
    var unused = run("release", LuaScript.RELEASE, OF_ORIGIN, origin, new Arguments().add(holder));
  }

  /** Whether both lie in one bucket, as one in 64 does. */
  @Override
  public boolean canRename(SessionKey key, SessionKey newKey) {
    return RedisKeys.bucketOf(key) == RedisKeys.bucketOf(newKey);
  }

  @Override
  public boolean rename(SessionKey key, SessionKey newKey) {
    if (!canRename(key, newKey)) {
      throw new IllegalArgumentException(
          "Session " + key + " cannot go by " + newKey + ", whose keys would lie in another slot");
    }
    byte[][] ofKey = keys.of(key);
    byte[][] ofNew = keys.of(newKey);
    byte[][] both =
        ofCluster
            ? new byte[][] {ofKey[0], ofNew[0], ofKey[1], ofKey[2], ofNew[2]}
            : new byte[][] {ofKey[0], ofNew[0]};
    return isDone(scripts.run("rename session " + key, arguments().call(LuaScript.RENAME, both)));
  }

  /**
   * One caller more than one may get true if the connection is lost in the middle: none would be
   * worse, since nobody would tell the listeners.
   */
  @Override
  public boolean remove(SessionKey origin) {
    ScriptCall.Reply answer = run("remove", LuaScript.REMOVE, OF_ORIGIN, origin, new Arguments());
    return isDone(answer) || answer.repeated();
  }

  /**
   * {@inheritDoc}
   *
   * <p>An answer of the server carries ten of a bucket's sessions at the most, and few large ones,
   * so that no script holds up other callers for long. If the server fails after some were claimed,
   * those are the answer.
   */
  @Override
  public List<SessionRecord> claimExpired(int limit, Duration claimTime) {
    Claim claim = new Claim(limit, claimTime);
    try {
      claim.count();
      while (claim.bytes < MOST_CLAIMED && claim.next()) {}
    } catch (StoreUnavailableException e) {
      if (claim.claimed.isEmpty()) {
        throw e;
      }
      LOGGER.log(Level.DEBUG, "Not all expired sessions could be claimed", e);
    }
    return claim.claimed;
  }

  /** By a look at each bucket's queue, in one round trip to each server. */
  @Override
  public List<SessionKey> findByPrincipal(PrincipalKey principal, int limit) {
    principal.requireSomebody();
    List<ScriptCall> calls = new ArrayList<>();
    for (int bucket = 0; bucket < RedisKeys.BUCKETS; bucket++) {
      calls.add(
          arguments()
              .add(user(principal))
              .add(limit)
              .call(LuaScript.FIND, new byte[][] {keys.expiry(bucket)}));
    }
    List<SessionKey> found = new ArrayList<>();
    scripts.runAll(
        "look up the sessions of user " + principal,
        calls,
        answered -> {
          Parts parts = Parts.of(answered.value());
          for (int i = 0; i < parts.size() && found.size() < limit; i++) {
            found.add(RedisKeys.keyIn(parts.text(i)));
          }
        });
    return found;
  }

  /** By a count of the queues, in which sessions that never expire are, too. */
  @Override
  public boolean isEmpty() {
    List<ScriptCall> calls = new ArrayList<>();
    for (int bucket = 0; bucket < RedisKeys.BUCKETS; bucket++) {
      calls.add(
          new Arguments()
              .add(LATER_THAN_ALL)
              .add(0)
              .add(0)
              .call(LuaScript.CLAIM, new byte[][] {keys.expiry(bucket)}));
    }
    LongAdder found = new LongAdder();
    scripts.runAll(
        "look for sessions", calls, answered -> found.add(Parts.of(answered.value()).number(0)));
    return found.sum() == 0;
  }

  /** By RESP3 client tracking, on a connection of its own to each primary. */
  @Override
  public Runnable watch(ChangeListener listener) {
    return scripts.watch(keys.prefix(), listener);
  }

  @Override
  public long history(SessionKey key) {
    return scripts.history(ofCluster ? keys.slot(key) : 0);
  }

  @Override
  public void ping() {
    scripts.ping();
  }

  @Override
  public void close() {
    scripts.close();
    driver.close();
  }

  private static void addChange(Arguments arguments, String name, AttributeChange change) {
    if (change instanceof AttributeChange.Set set) {
      arguments.add(SET).add(name).add(set.value().bytes());
    } else if (change instanceof AttributeChange.Replace replace) {
      arguments.add(REPLACE).add(name).add(replace.value().bytes()).add(replace.expectedVersion());
    } else {
      arguments.add(REMOVE).add(name);
    }
  }

  /** One claim over all buckets, never of more sessions than were asked for. */
  private final class Claim {
    final List<SessionRecord> claimed = new ArrayList<>();
    final int limit;
    final byte[] claimTime;

    /** How many bytes the attributes of those take that have been claimed. */
    long bytes;

    /** How many are due in each bucket. */
    final long[] due = new long[RedisKeys.BUCKETS];

    /** Where to begin, so that no bucket always comes last. */
    final int first = ThreadLocalRandom.current().nextInt(RedisKeys.BUCKETS);

    Claim(int limit, Duration claimTime) {
      this.limit = limit;
      this.claimTime = ascii(millis(claimTime));
    }

    /** Claims none, but learns where some are due. */
    void count() {
      List<Integer> all = new ArrayList<>();
      List<ScriptCall> calls = new ArrayList<>();
      for (int bucket = 0; bucket < RedisKeys.BUCKETS; bucket++) {
        all.add(bucket);
        calls.add(call(bucket, 0));
      }
      run(all, calls);
    }

    /** Claims what fits into one answer; false if there is nothing more to do. */
    boolean next() {
      int before = claimed.size();
      long dueBefore = LongStream.of(due).sum();
      long left = (long) limit - before;
      List<Integer> buckets = new ArrayList<>();
      List<ScriptCall> calls = new ArrayList<>();
      for (int i = 0; i < RedisKeys.BUCKETS && left > 0 && calls.size() < AT_ONCE; i++) {
        int bucket = (first + i) % RedisKeys.BUCKETS;
        long share = Math.min(due[bucket], left);
        if (share > 0) {
          buckets.add(bucket);
          calls.add(call(bucket, share));
          left -= share;
        }
      }
      if (calls.isEmpty()) {
        return false;
      }
      run(buckets, calls);
      // It may have cleared away what was left of other sessions, too.
      return claimed.size() > before || LongStream.of(due).sum() < dueBefore;
    }

    private ScriptCall call(int bucket, long share) {
      Arguments arguments = arguments().add(share).add(claimTime);
      if (share > 0) {
        arguments.mayBeLong();
      }
      return arguments.call(LuaScript.CLAIM, new byte[][] {keys.expiry(bucket)});
    }

    private void run(List<Integer> buckets, List<ScriptCall> calls) {
      scripts.runAll(
          "claim expired sessions",
          calls,
          answered -> {
            Parts parts = Parts.of(answered.value());
            due[buckets.get(answered.index())] = parts.number(0);
            for (int i = 1; i < parts.size(); i++) {
              SessionRecord session = record(parts.list(i));
              claimed.add(session);
              session.attributes().values().forEach(value -> bytes += value.value().size());
            }
          });
    }
  }

  // ---------------------------------------------------------------- what scripts are given

  private Arguments arguments() {
    return new Arguments().add(millis(clockOffset.get()));
  }

  /**
   * A cluster has to be told all keys that a script may touch: where a slot is on its way to
   * another server, each may be here or there. Other servers are told the first, by which the
   * script knows the others.
   */
  private ScriptCall.Reply run(
      String attempted, LuaScript script, int count, SessionKey key, Arguments arguments) {
    byte[][] names =
        ofCluster ? Arrays.copyOf(keys.of(key), count) : new byte[][] {keys.session(key)};
    return scripts.run(attempted + " session " + key, arguments.call(script, names));
  }

  /** What scripts are given of a user: the rank, and the key. Nothing for nobody. */
  private static byte[] user(PrincipalKey principal) {
    if (principal.isNobody()) {
      return NOTHING;
    }
    ByteBuffer key = ByteBuffer.wrap(principal.bytes());
    long rank = FIRST_RANK + (key.getLong(0) >>> (Long.SIZE - RANK_BITS) << RANK_SHIFT);
    byte[] digits = ascii(rank);
    return ByteBuffer.allocate(digits.length + PrincipalKey.BYTES).put(digits).put(key).array();
  }

  /** Six letters and digits, as good as never the same. */
  private static byte[] random() {
    long six = 36L * 36 * 36 * 36 * 36 * 36;
    return Long.toString(six + ThreadLocalRandom.current().nextLong(six), 36)
        .substring(1)
        .getBytes(US_ASCII);
  }

  private static byte[] ascii(long number) {
    return Long.toString(number).getBytes(US_ASCII);
  }

  /** In whole milliseconds, as far as they go. */
  private static long millis(Duration duration) {
    try {
      return duration.toMillis();
    } catch (ArithmeticException e) {
      return duration.isNegative() ? Long.MIN_VALUE : Long.MAX_VALUE;
    }
  }

  private static final class Arguments {
    private final List<byte[]> values = new ArrayList<>();
    private long bytes;

    Arguments add(byte[] value) {
      values.add(value);
      bytes += value.length;
      return this;
    }

    void mayBeLong() {
      bytes = LONG_CALL;
    }

    Arguments add(String text) {
      return add(text.getBytes(UTF_8));
    }

    Arguments add(long number) {
      return add(ascii(number));
    }

    ScriptCall call(LuaScript script, byte[][] keys) {
      return new ScriptCall(script, keys, values.toArray(byte[][]::new), bytes >= LONG_CALL);
    }
  }

  // ---------------------------------------------------------------- what scripts answer

  /** Whether a script has done what it was run for: now, or when it was run before. */
  private static boolean isDone(ScriptCall.Reply answer) {
    long number = number(answer);
    return number == DONE || (number == DONE_BEFORE && answer.repeated());
  }

  private static long number(ScriptCall.Reply answer) {
    if (answer.value() instanceof Long number) {
      return number;
    }
    throw new SessionException("A script answered something else than a number", null);
  }

  private static LoadResult.Changed changed(Parts answer) {
    Parts written = answer.list(4);
    Map<String, StoredAttribute> set = new HashMap<>();
    for (int i = 0; i < written.size(); i += 3) {
      set.put(
          written.text(i + 1),
          new StoredAttribute(EncodedValue.of(written.bytes(i)), written.number(i + 2)));
    }
    Parts marks = answer.list(5);
    Map<String, Long> removed = new HashMap<>();
    for (int i = 0; i < marks.size(); i += 2) {
      removed.put(marks.text(i), -marks.number(i + 1));
    }
    return new LoadResult.Changed(
        answer.number(0),
        Instant.ofEpochMilli(answer.number(1)),
        timeout(answer.number(2), answer.number(3)),
        set,
        removed);
  }

  /** A session from the name of its hash and all fields of that. */
  private static SessionRecord record(Parts answer) {
    return record(RedisKeys.keyIn(answer.text(0)), answer.list(1));
  }

  private static SessionRecord record(SessionKey origin, Parts fields) {
    String[] words = {};
    Map<String, Long> versions = Map.of();
    Map<String, byte[]> values = new HashMap<>();
    for (int i = 0; i < fields.size(); i += 2) {
      byte[] field = fields.bytes(i);
      if (field.length > 0 && field[0] == ATTRIBUTE) {
        values.put(new String(field, 1, field.length - 1, UTF_8), fields.bytes(i + 1));
      } else if (Arrays.equals(field, SESSION)) {
        words = fields.text(i + 1).split(" ");
      } else if (Arrays.equals(field, INDEX)) {
        versions = versions(fields.bytes(i + 1));
      }
    }
    if (words.length < WORDS) {
      throw new SessionException("Not what the store keeps of a session", null);
    }
    long version = number(words[0]);
    Map<String, StoredAttribute> attributes = new HashMap<>();
    for (Map.Entry<String, byte[]> value : values.entrySet()) {
      attributes.put(
          value.getKey(),
          new StoredAttribute(
              EncodedValue.of(value.getValue()), versions.getOrDefault(value.getKey(), version)));
    }
    return new SessionRecord(
        words[7].equals(NONE) ? origin : RedisKeys.keyIn(words[7]),
        origin,
        version,
        Instant.ofEpochMilli(number(words[1])),
        Instant.ofEpochMilli(number(words[2])),
        timeout(number(words[3]), number(words[4])),
        attributes);
  }

  /** What an index says: entries of {@code ff}, a name, {@code fe} and the version in digits. */
  private static Map<String, Long> versions(byte[] index) {
    Map<String, Long> versions = new HashMap<>();
    int end = index.length;
    int digits = end;
    for (int i = end - 1; i >= 0; i--) {
      if (index[i] == NAME_END) {
        digits = i + 1;
      } else if (index[i] == NAME_BEGIN) {
        versions.put(
            new String(index, i + 1, digits - 1 - (i + 1), UTF_8),
            number(new String(index, digits, end - digits, US_ASCII)));
        end = i;
      }
    }
    return versions;
  }

  private static IdleTimeout timeout(long idle, long touch) {
    return new IdleTimeout(Duration.ofMillis(idle), Duration.ofMillis(touch));
  }

  private static long number(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new SessionException("Not a number where the store keeps one", e);
    }
  }

  /** A list that a script answered, or one within it. */
  private record Parts(List<?> parts) {

    static Parts of(@Nullable Object answer) {
      if (answer instanceof List<?> list) {
        return new Parts(list);
      }
      throw new SessionException("A script answered something else than a list", null);
    }

    int size() {
      return parts.size();
    }

    @Nullable Object get(int index) {
      return parts.get(index);
    }

    long number(int index) {
      return parts.get(index) instanceof Long number
          ? number
          : RedisSessionStore.number(new String(bytes(index), US_ASCII));
    }

    byte[] bytes(int index) {
      if (parts.get(index) instanceof byte[] bytes) {
        return bytes;
      }
      throw new SessionException("A script answered something else than bytes", null);
    }

    String text(int index) {
      return new String(bytes(index), UTF_8);
    }

    Parts list(int index) {
      return of(parts.get(index));
    }
  }
}
