package io.sojourn.settings;

import io.sojourn.AttributeCodec;
import io.sojourn.NewSessionTimeout;
import io.sojourn.SessionPolicy;
import io.sojourn.codec.ClassFilter;
import io.sojourn.codec.CodecLimits;
import io.sojourn.codec.CompressedCodec;
import io.sojourn.codec.CustomCodec;
import io.sojourn.codec.EncryptedCodec;
import io.sojourn.codec.EncryptionKeys;
import io.sojourn.codec.JavaCodec;
import io.sojourn.codec.KryoCodec;
import io.sojourn.codec.LocalizationCodec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * The choices about sessions that are the same in every container, by the names that
 * docs/configuration.md has for them, as text: so that one message can say which makes no sense.
 *
 * <p>To be configured by one thread; not thread-safe.
 */
public final class SessionSettings {

  /** How many seconds a request waits for its session, unless it is set. */
  public static final int DEFAULT_SERIALIZE_TIMEOUT = 10;

  private static final int DEEPEST = 1_000;

  /** What encodes attributes. */
  private enum Codec {
    KRYO,
    JAVA
  }

  /** Whether attributes are compressed. */
  private enum Compression {
    NONE,
    LZ4
  }

  /** How requests of one session go together. */
  private enum Concurrency {
    PARALLEL,
    SERIALIZE
  }

  private final Map<String, @Nullable String> values = new TreeMap<>();

  /** All as in {@link SessionPolicy#DEFAULT} and {@link CodecLimits#DEFAULT}. */
  public SessionSettings() {
    SessionPolicy policy = SessionPolicy.DEFAULT;
    CodecLimits limits = CodecLimits.DEFAULT;
    values.put("touchInterval", Long.toString(policy.touchInterval().toSeconds()));
    values.put("dirtyCheck", "read");
    values.put("onDecodeFailure", "fail");
    values.put("nearCacheSize", Integer.toString(policy.nearCacheSize()));
    values.put("nearCacheBytes", Long.toString(policy.nearCacheBytes()));
    values.put("freshness", "strict");
    values.put("maxStaleness", null);
    values.put("onStoreFailure", "unavailable");
    values.put("concurrency", "parallel");
    values.put("serializePaths", null);
    values.put("serializeTimeout", null);
    values.put("newSessionTimeout", null);
    values.put("allowedClasses", "");
    values.put("codec", "kryo");
    values.put("compression", "none");
    values.put("maxEncodedBytes", Integer.toString(limits.bytes()));
    values.put("maxDepth", Integer.toString(limits.depth()));
    values.put("maxObjects", Integer.toString(limits.objects()));
    values.put("encryptionKeys", null);
    values.put("encryption", "required");
  }

  /** What they are called. */
  public Set<String> names() {
    return Collections.unmodifiableSet(values.keySet());
  }

  /**
   * Sets one.
   *
   * @param name as in docs/configuration.md
   * @param value checked when it is used; null for none, where there need not be one
   */
  public void set(String name, @Nullable String value) {
    if (!values.containsKey(name)) {
      throw new IllegalStateException("No setting of sessions is called " + name);
    }
    values.put(name, value);
  }

  /**
   * What one is set to.
   *
   * @return null if it is not set, and has no default
   */
  public @Nullable String find(String name) {
    return values.get(name);
  }

  /** What one is set to that has a default. */
  public String get(String name) {
    return Objects.requireNonNull(values.get(name), name);
  }

  /**
   * How sessions are kept.
   *
   * @throws IllegalArgumentException if a setting makes no sense; the message names it
   */
  public SessionPolicy policy() {
    return new SessionPolicy(
        Duration.ofSeconds(number("touchInterval", 0, Integer.MAX_VALUE)),
        choice("dirtyCheck", SessionPolicy.DirtyCheck.class),
        choice("onDecodeFailure", SessionPolicy.Undecodable.class),
        number("nearCacheSize", 1, Integer.MAX_VALUE),
        number("nearCacheBytes", 1, Integer.MAX_VALUE),
        SessionPolicy.DEFAULT.nearCacheIdle(),
        choice("freshness", SessionPolicy.Freshness.class),
        maxStaleness(),
        storeFailure());
  }

  private SessionPolicy.StoreFailure storeFailure() {
    SessionPolicy.StoreFailure choice = choice("onStoreFailure", SessionPolicy.StoreFailure.class);
    if (choice == SessionPolicy.StoreFailure.SERVE_LOCAL && isSerialized()) {
      throw new IllegalArgumentException(
          "onStoreFailure=\"serve-local\" does not go with concurrency=\"serialize\": without the"
              + " store nobody knows whose turn it is");
    }
    return choice;
  }

  private Duration maxStaleness() {
    String seconds = find("maxStaleness");
    if (seconds == null) {
      return SessionPolicy.DEFAULT.maxStaleness();
    }
    if (choice("freshness", SessionPolicy.Freshness.class) == SessionPolicy.Freshness.STRICT) {
      throw new IllegalArgumentException(
          "maxStaleness=\""
              + seconds
              + "\" has a meaning only with freshness=\"causal\" or freshness=\"tracked\"");
    }
    return Duration.ofSeconds(number("maxStaleness", 1, Integer.MAX_VALUE));
  }

  /**
   * Which requests have their session to themselves, by their path within the context; empty if
   * none has.
   *
   * @throws IllegalArgumentException if a setting makes no sense; the message names it
   */
  public Optional<Predicate<String>> serialized() {
    boolean serialize = isSerialized();
    String pattern = find("serializePaths");
    if (pattern == null) {
      return serialize ? Optional.of(path -> true) : Optional.empty();
    }
    if (!serialize) {
      throw new IllegalArgumentException(
          "serializePaths=\"" + pattern + "\" has a meaning only with concurrency=\"serialize\"");
    }
    try {
      return Optional.of(Pattern.compile(pattern).asMatchPredicate());
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "serializePaths=\"" + pattern + "\" is no regular expression: " + e.getDescription(), e);
    }
  }

  /**
   * How long such a request waits for its session.
   *
   * @throws IllegalArgumentException if the setting makes no sense; the message names it
   */
  public Duration serializeTimeout() {
    String seconds = find("serializeTimeout");
    if (seconds == null) {
      return Duration.ofSeconds(DEFAULT_SERIALIZE_TIMEOUT);
    }
    Duration timeout =
        Duration.ofSeconds(number("serializeTimeout", seconds, 1, Integer.MAX_VALUE));
    if (!isSerialized()) {
      throw new IllegalArgumentException(
          "serializeTimeout=\"" + seconds + "\" has a meaning only with concurrency=\"serialize\"");
    }
    return timeout;
  }

  private boolean isSerialized() {
    return choice("concurrency", Concurrency.class) == Concurrency.SERIALIZE;
  }

  /**
   * For how long a new session lives until its client comes back.
   *
   * @throws IllegalArgumentException if the setting makes no sense; the message names it
   */
  public NewSessionTimeout newSessionTimeout() {
    String seconds = find("newSessionTimeout");
    return seconds == null
        ? NewSessionTimeout.NONE
        : new NewSessionTimeout(number("newSessionTimeout", seconds, 1, Integer.MAX_VALUE));
  }

  /**
   * What encodes attributes.
   *
   * @param application knows the application's classes
   * @param container knows a codec of the user's that the application does not bring
   * @throws IllegalArgumentException if a setting makes no sense; the message names it
   */
  public AttributeCodec codec(ClassLoader application, ClassLoader container) {
    AttributeCodec plain = compressed(encoding(application, container));
    EncryptedCodec.Mode mode = choice("encryption", EncryptedCodec.Mode.class);
    String keys = find("encryptionKeys");
    if (keys == null) {
      if (mode != EncryptedCodec.Mode.REQUIRED) {
        throw new IllegalArgumentException(
            "encryption=\"" + get("encryption") + "\" has a meaning only with encryptionKeys");
      }
      return plain;
    }
    try {
      return new EncryptedCodec(plain, EncryptionKeys.of(keys), mode);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("encryptionKeys=\"...\": " + e.getMessage(), e);
    }
  }

  private CodecLimits limits() {
    return new CodecLimits(
        number("maxEncodedBytes", 1, CodecLimits.DEFAULT.bytes()),
        number("maxDepth", 1, DEEPEST),
        number("maxObjects", 1, Integer.MAX_VALUE));
  }

  private AttributeCodec encoding(ClassLoader application, ClassLoader container) {
    CodecLimits limits = limits();
    ClassFilter filter;
    try {
      filter = ClassFilter.ofApplication(application, get("allowedClasses"));
    } catch (IllegalArgumentException e) {
      throw wrong("allowedClasses", e);
    }
    List<AttributeCodec> customs = new ArrayList<>();
    Codec choice = null;
    boolean customWrites = false;
    for (String part : get("codec").split(",", -1)) {
      String name = part.strip();
      if (name.contains(".")) {
        customWrites |= choice == null && customs.isEmpty();
        customs.add(customCodec(name, application, container));
      } else {
        Codec named = choice("codec", name, Codec.class);
        choice = choice == null ? named : choice;
      }
    }
    requireApart(customs);
    AttributeCodec codec =
        new LocalizationCodec(
            application,
            choice == Codec.JAVA
                ? new JavaCodec(application, filter, limits)
                : new KryoCodec(application, filter, limits));
    for (int i = customs.size() - 1; i >= 0; i--) {
      AttributeCodec custom = customs.get(i);
      codec =
          i == 0 && customWrites
              ? CustomCodec.writing(custom, codec)
              : CustomCodec.reading(custom, codec);
    }
    return codec;
  }

  /** No two read the same: what one has stored would be anybody's guess. */
  private void requireApart(List<AttributeCodec> customs) {
    for (int format = 128; format <= 255; format++) {
      byte first = (byte) format;
      List<String> readers =
          customs.stream()
              .filter(codec -> codec.reads(first))
              .map(codec -> codec.getClass().getName())
              .toList();
      if (readers.size() > 1) {
        throw new IllegalArgumentException(
            "codec=\""
                + get("codec")
                + "\": more than one reads the format byte "
                + format
                + ": "
                + String.join(", ", readers)
                + "; each has to say by AttributeCodec.reads which are its own");
      }
    }
  }

  /** The application's, or one beside the container. */
  private static AttributeCodec customCodec(
      String name, ClassLoader application, ClassLoader container) {
    String failure = "codec=\"" + name + "\": ";
    try {
      Class<?> type;
      try {
        type = Class.forName(name, true, application);
      } catch (ClassNotFoundException notTheApplications) {
        type = Class.forName(name, true, container);
      }
      return type.asSubclass(AttributeCodec.class).getConstructor().newInstance();
    } catch (ClassNotFoundException e) {
      throw new IllegalArgumentException(
          failure + "neither the application nor the container's lib has this class", e);
    } catch (ClassCastException e) {
      throw new IllegalArgumentException(
          failure
              + "this class does not implement io.sojourn.AttributeCodec, or one that the"
              + " application has a second time in its own WEB-INF/lib",
          e);
    } catch (ReflectiveOperationException | LinkageError e) {
      throw new IllegalArgumentException(
          failure + "it needs to be public, with a public constructor without parameters", e);
    }
  }

  private AttributeCodec compressed(AttributeCodec encoding) {
    boolean compress = choice("compression", Compression.class) == Compression.LZ4;
    try {
      // A codec of a user's has no bounds of ours but the largest.
      CodecLimits limits = encoding instanceof CustomCodec ? CodecLimits.DEFAULT : limits();
      return new CompressedCodec(encoding, compress, limits);
    } catch (IllegalArgumentException e) {
      throw wrong("compression", e);
    }
  }

  private IllegalArgumentException wrong(String name, IllegalArgumentException why) {
    return new IllegalArgumentException(name + "=\"" + get(name) + "\": " + why.getMessage(), why);
  }

  private int number(String name, int least, int most) {
    return number(name, get(name), least, most);
  }

  private <E extends Enum<E>> E choice(String name, Class<E> choices) {
    return choice(name, get(name), choices);
  }

  /**
   * Refuses what is said of a store beside one that has been handed over: it would change nothing.
   *
   * @param url of the store; null if there is none
   * @param options of the store
   * @throws IllegalArgumentException if something is said; the message names it, and no value
   */
  public static void refuseBesideStoreHandedOver(
      @Nullable String url, Map<String, String> options) {
    Set<String> said = new TreeSet<>(options.keySet());
    if (url != null) {
      said.add("store");
    }
    if (!said.isEmpty()) {
      throw new IllegalArgumentException(
          String.join(", ", said)
              + " cannot be set beside a store that is handed over by setSessionStore, which has"
              + " been opened: leave out one of the two");
    }
  }

  /**
   * A number that is set as text.
   *
   * @param name whose, for the message
   * @throws IllegalArgumentException if it is none, or not between these, both included
   */
  public static int number(String name, String text, int least, int most) {
    try {
      int number = Integer.parseInt(text.strip());
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Answered below, like a number that is too small.
    }
    throw new IllegalArgumentException(
        name
            + "=\""
            + text
            + "\" must be a whole number, "
            + least
            + (most == Integer.MAX_VALUE ? " or more" : " to " + most));
  }

  /**
   * A constant that is set by its name, in any case of letters, with hyphens between its words.
   *
   * @param name of the setting, for the message
   * @throws IllegalArgumentException if there is no such constant
   */
  public static <E extends Enum<E>> E choice(String name, String text, Class<E> choices) {
    StringBuilder allowed = new StringBuilder();
    for (E choice : choices.getEnumConstants()) {
      String itsName = choice.name().toLowerCase(Locale.ROOT).replace('_', '-');
      if (itsName.equalsIgnoreCase(text.strip())) {
        return choice;
      }
      allowed.append(allowed.isEmpty() ? "" : ", ").append(itsName);
    }
    throw new IllegalArgumentException(name + "=\"" + text + "\" must be one of: " + allowed);
  }
}
