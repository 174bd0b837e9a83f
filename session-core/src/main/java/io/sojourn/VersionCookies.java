package io.sojourn;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the client of a request has seen of its session: a version, which it keeps in cookies, so
 * that every node knows.
 *
 * <p>There are {@value #SLOTS} of them, told apart by the last letter of their names, and a version
 * goes into the one that its last bits name; the highest counts. It takes away those of the {@value
 * #BEHIND} versions before it that came with the request, so a client usually has one. So the
 * answers of requests that overlap may reach the client in any order, unless one is overtaken by
 * one that is {@value #BEHIND} versions later or more; or came with a cookie that says more than
 * there is, which it takes away wherever that is.
 *
 * <p>A value names the session that it counts for, by its application, its present id and when it
 * was created. What no node of ours has written counts as nothing seen, or as more than anybody
 * has: either way the store is asked, and the client is told the version anew. Nothing that came is
 * ever sent back.
 *
 * <p>Used by one thread at a time, as requests are.
 */
public final class VersionCookies {

  /** How many cookies there are. */
  public static final int SLOTS = 32;

  /** How many cookies a version takes away. */
  static final int BEHIND = SLOTS / 2;

  /** A version that no copy has. */
  private static final long UNSEEN = Long.MAX_VALUE;

  /** Some clients take names for the same that differ in case only. */
  private static final String SUFFIXES = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

  private static final int TAG_BYTES = 8;
  private static final int TAG_LENGTH = 11;
  private static final int MAX_VALUES = 2 * SLOTS;

  /** Most clients have one. */
  private List<Came> came = List.of();

  /** What the client has been told with this response: by slot, what it is to hold. */
  private Map<Integer, Optional<String>> told = Map.of();

  private final String application;

  /** What is known of the session that was last asked about: its tag, and the version seen. */
  private @Nullable String lastTag;

  private long lastSeen;

  /**
   * Nothing has come.
   *
   * @param application whose sessions: others may have the same ids and cookies
   */
  public VersionCookies(String application) {
    this.application = application;
  }

  /**
   * A cookie that came with the request.
   *
   * @param suffix what follows the names' common beginning; if no cookie of ours ends so, it is
   *     none
   * @param value untrusted
   */
  public void came(String suffix, String value) {
    if (suffix.length() == 1) {
      came(suffix.charAt(0), value);
    }
  }

  /**
   * The same.
   *
   * @param suffix the only letter that follows the names' common beginning
   * @param value untrusted
   */
  public void came(char suffix, String value) {
    int slot = SUFFIXES.indexOf(suffix);
    if (slot >= 0 && came.size() < MAX_VALUES) {
      Came cookie = new Came(slot, value);
      if (came.isEmpty()) {
        came = List.of(cookie);
      } else {
        List<Came> all = new ArrayList<>(came);
        all.add(cookie);
        came = all;
      }
      lastTag = null;
    }
  }

  /**
   * The version that the client has seen of this session, by its present id; {@link
   * SessionStore#NO_VERSION} if it does not say.
   */
  public long seen(LiveSession session) {
    if (came.isEmpty()) {
      return SessionStore.NO_VERSION;
    }
    String tag = tag(session);
    if (!tag.equals(lastTag)) {
      lastSeen = SessionStore.NO_VERSION;
      for (Came cookie : came) {
        lastSeen = Math.max(lastSeen, version(tag, cookie.value));
      }
      lastTag = tag;
    }
    return lastSeen;
  }

  /** The version in a value; {@link SessionStore#NO_VERSION} if it has another tag. */
  private static long version(String tag, String value) {
    if (!value.startsWith(tag)) {
      return SessionStore.NO_VERSION;
    }
    int digits = value.length() - TAG_LENGTH;
    if (digits < 1 || digits > 19) {
      return UNSEEN;
    }
    long version = 0;
    for (int i = TAG_LENGTH; i < value.length(); i++) {
      int digit = value.charAt(i) - '0';
      if (digit < 0 || digit > 9 || version > (UNSEEN - digit) / 10) {
        return UNSEEN;
      }
      version = 10 * version + digit;
    }
    return version;
  }

  /** What follows is the version. A copy of a session remembers it. */
  private String tag(LiveSession session) {
    SessionKey key = session.key();
    Tag known = session.clientTag();
    if (known == null || !known.key.equals(key) || !known.application.equals(application)) {
      String named = application + '\n' + key.hex() + '\n' + session.creationTime().toEpochMilli();
      byte[] beginning = Arrays.copyOf(SessionKey.of(named).bytes(), TAG_BYTES);
      String text = new String(Base64.getUrlEncoder().withoutPadding().encode(beginning), US_ASCII);
      known = new Tag(application, key, text);
      session.keepClientTag(known);
    }
    return known.text;
  }

  /**
   * What to tell the client that has seen this version of its session. To be asked whenever the
   * response may leave: it answers what has not been told yet.
   */
  public List<Change> see(LiveSession session, long version) {
    if (session.isUnsettled()) {
      // What it is shown has no version yet.
      return unsee(session, version);
    }
    return told.isEmpty() && version == seen(session)
        ? List.of()
        : tell(session, version, slot(version), version);
  }

  /**
   * What to tell the client for now, since this request may go on to change the session where the
   * client cannot be told: that its next request is to be served from the store.
   *
   * @param version the version that it has seen so far
   */
  public List<Change> unsee(LiveSession session, long version) {
    return version == UNSEEN ? List.of() : tell(session, version, slot(version), UNSEEN);
  }

  /**
   * What to tell the client for now, whose session this request has not asked for yet, and may
   * change where the client cannot be told: the same.
   */
  public List<Change> unsee() {
    Map<Integer, Optional<String>> wanted = new TreeMap<>();
    came.forEach(cookie -> wanted.put(cookie.slot, Optional.empty()));
    return tell(wanted);
  }

  /**
   * What to tell the client whose session this request has ended: that it is to be served from the
   * store, which does not have it any more. No earlier answer that comes late takes that back.
   *
   * @param version the version that it has seen
   */
  public List<Change> end(LiveSession session, long version) {
    return tell(session, version, slot(version + 1), UNSEEN);
  }

  private static int slot(long version) {
    return (int) (version % SLOTS);
  }

  /**
   * Takes away what is behind the version, and what claims to be later, but nothing where a later
   * version may be by the time that this answer arrives.
   */
  private List<Change> tell(LiveSession session, long version, int target, long value) {
    String tag = tag(session);
    Map<Integer, Optional<String>> wanted = new TreeMap<>();
    told.keySet().forEach(slot -> wanted.put(slot, Optional.empty()));
    for (Came cookie : came) {
      if (Math.floorMod(cookie.slot - slot(version), SLOTS) >= BEHIND
          || version(tag, cookie.value) > version) {
        wanted.put(cookie.slot, Optional.empty());
      }
    }
    wanted.put(target, Optional.of(tag + value));
    return tell(wanted);
  }

  private List<Change> tell(Map<Integer, Optional<String>> wanted) {
    List<Change> changes = new ArrayList<>();
    told = told.isEmpty() ? new TreeMap<>() : told;
    wanted.forEach(
        (slot, content) -> {
          if (!content.equals(told.put(slot, content))) {
            changes.add(new Change(SUFFIXES.substring(slot, slot + 1), content.orElse(null)));
          }
        });
    return changes;
  }

  /** The response has been reset: the client will not hear of what it was told. */
  public void forgetTold() {
    told = Map.of();
  }

  /**
   * What the client is to do with a cookie.
   *
   * @param suffix the end of its name
   * @param value what it is to hold; null if it is to be removed
   */
  public record Change(String suffix, @Nullable String value) {}

  /**
   * What a client's cookie begins with.
   *
   * @param application whose session it is
   * @param key of the session's id at that time
   * @param text names both, and when the session was created
   */
  record Tag(String application, SessionKey key, String text) {}

  /** A cookie that came with the request. */
  private record Came(int slot, String value) {}
}
