package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.AttributeChange;
import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodedValue;
import io.sojourn.InMemorySessionStore;
import io.sojourn.LiveSession;
import io.sojourn.LoadResult;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionPolicy;
import io.sojourn.SessionRepository;
import io.sojourn.SessionStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("G10")
class EncryptedCodecTest {

  private static final String OLD = "2025:" + "A".repeat(43) + "=";
  private static final String NEW = "2026:" + "B".repeat(42) + "A=";

  private static final SessionKey ORIGIN = SessionKey.of("session");

  private final KryoCodec plain = new KryoCodec(getClass().getClassLoader(), ClassFilter.of(""));
  private final SessionStore store = new InMemorySessionStore();

  private EncryptedCodec codec(String keys) {
    return codec(keys, EncryptedCodec.Mode.REQUIRED);
  }

  private EncryptedCodec codec(String keys, EncryptedCodec.Mode mode) {
    return new EncryptedCodec(plain, EncryptionKeys.of(keys), mode);
  }

  private SessionRepository node(AttributeCodec codec) {
    return new SessionRepository(store, codec, SessionPolicy.DEFAULT);
  }

  private static LiveSession open(SessionRepository node, String id) {
    return Objects.requireNonNull(node.open(id));
  }

  private EncodedValue stored(String id, String attribute) {
    LoadResult.Found found = (LoadResult.Found) store.load(SessionKey.of(id), 0);
    return Objects.requireNonNull(found.session().attributes().get(attribute)).value();
  }

  private void plant(String id, String attribute, EncodedValue value) {
    LoadResult.Found found = (LoadResult.Found) store.load(SessionKey.of(id), 0);
    store.save(
        new SessionDelta(
            found.session().origin(),
            Map.of(attribute, new AttributeChange.Set(value)),
            Optional.empty(),
            Duration.ZERO));
  }

  private LiveSession created(SessionRepository node, String id, Object value) {
    LiveSession session = node.create(id, Duration.ofMinutes(30));
    session.setAttribute("secret", value);
    node.flush(session);
    return session;
  }

  @Test
  void whatIsSealedIsReadOnlyWithItsKeyForItsAttributeInItsSession() {
    EncodedValue encoded = plain.encode("a secret that is long enough to be seen");
    EncodedValue sealed = codec(OLD).seal(encoded, ORIGIN, "name");

    assertThat(codec(OLD).open(sealed, ORIGIN, "name")).isEqualTo(encoded);
    assertThat(codec(NEW + " " + OLD).open(sealed, ORIGIN, "name")).isEqualTo(encoded);
    assertThat(sealed.size()).isEqualTo(encoded.size() + 3 + 4 + 28);
    assertThat(new String(sealed.bytes(), java.nio.charset.StandardCharsets.ISO_8859_1))
        .doesNotContain("secret");
    assertThat(codec(OLD).seal(encoded, ORIGIN, "name")).as("a nonce each").isNotEqualTo(sealed);
  }

  @Test
  @Tag("R60")
  void whatIsMovedIsRefused() {
    EncodedValue sealed = codec(OLD).seal(plain.encode("root"), ORIGIN, "user");

    for (Runnable move :
        List.<Runnable>of(
            () -> codec(OLD).open(sealed, SessionKey.of("another"), "user"),
            () -> codec(OLD).open(sealed, ORIGIN, "usec"),
            () -> codec(OLD).open(sealed, ORIGIN, ""))) {
      assertThatThrownBy(move::run)
          .isInstanceOf(DecodeException.class)
          .hasMessageContaining("'2025'")
          .hasMessageContaining("moved");
    }
  }

  @Test
  void everyChangedOrMissingByteIsSeen() {
    byte[] sealed = codec(OLD).seal(plain.encode("root"), ORIGIN, "user").bytes();
    for (int i = 0; i < sealed.length; i++) {
      byte[] changed = sealed.clone();
      changed[i] ^= (byte) (1 << i % 8);
      assertThatThrownBy(() -> codec(OLD).open(EncodedValue.of(changed), ORIGIN, "user"))
          .isInstanceOf(DecodeException.class);
      byte[] part = Arrays.copyOf(sealed, i);
      assertThatThrownBy(() -> codec(OLD).open(EncodedValue.of(part), ORIGIN, "user"))
          .isInstanceOf(DecodeException.class);
    }
  }

  @Test
  @Tag("R59")
  void plainValuesAndThoseOfForeignKeysAreRefusedAndKept() {
    SessionRepository node = node(codec(NEW));
    LiveSession session = created(node, "s", "mine");
    EncodedValue planted = plain.encode("planted");
    EncodedValue foreign = codec(OLD).seal(planted, session.key(), "foreign");
    plant("s", "planted", planted);
    plant("s", "foreign", foreign);

    LiveSession read = open(node(codec(NEW)), "s");
    assertThat(read.attribute("secret")).isEqualTo("mine");
    assertThatThrownBy(() -> read.attribute("planted"))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("not encrypted");
    assertThatThrownBy(() -> read.attribute("foreign"))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("'2025', which this node does not have");
    assertThat(stored("s", "planted")).isEqualTo(planted);
    assertThat(stored("s", "foreign")).isEqualTo(foreign);
  }

  @Test
  @Tag("R60")
  void aValueMovedInTheStoreIsRefusedAndTheRestGoesOn() {
    SessionRepository node = node(codec(NEW));
    created(node, "admin", "root");
    LiveSession mine = created(node, "mine", "user");
    plant("mine", "secret", stored("admin", "secret"));
    plant("mine", "other", stored("mine", "secret"));
    mine.setAttribute("more", "m");
    node.flush(mine);

    LiveSession read = open(node(codec(NEW)), "mine");
    assertThatThrownBy(() -> read.attribute("secret")).hasMessageContaining("moved");
    assertThatThrownBy(() -> read.attribute("other")).hasMessageContaining("moved");
    assertThat(read.attribute("more")).isEqualTo("m");
  }

  @Test
  void aChangedIdLeavesEverythingReadable() {
    SessionRepository node = node(codec(NEW));
    LiveSession session = created(node, "before", "value");
    assertThat(node.rename(session, "after")).isTrue();
    session.setAttribute("later", "l");
    node.flush(session);

    LiveSession read = open(node(codec(NEW)), "after");
    assertThat(read.attribute("secret")).isEqualTo("value");
    assertThat(read.attribute("later")).isEqualTo("l");
  }

  @Test
  void anIdThatChangesBeforeTheFirstSaveDoesNoHarm() {
    SessionRepository node = node(codec(NEW));
    LiveSession session = node.create("before", Duration.ofMinutes(30));
    session.setAttribute("secret", "value");
    assertThat(node.rename(session, "after")).isTrue();
    node.flush(session);

    assertThat(open(node(codec(NEW)), "after").attribute("secret")).isEqualTo("value");
  }

  @Test
  void whatNobodyChangedIsNotSavedAgain() {
    SessionRepository a = node(codec(NEW));
    created(a, "s", new ArrayList<>(List.of("x")));
    EncodedValue before = stored("s", "secret");

    SessionRepository b = node(codec(NEW));
    LiveSession read = open(b, "s");
    Object list = read.attribute("secret");
    b.flush(read);
    assertThat(stored("s", "secret")).isEqualTo(before);

    read.setAttribute("secret", new ArrayList<>(List.of("x")));
    b.flush(read);
    assertThat(stored("s", "secret")).as("set to the same").isEqualTo(before);
    assertThat(list).isEqualTo(List.of("x"));
  }

  @Test
  void whatIsChangedInPlaceIsSavedAndSeenOnTheOtherNode() {
    SessionRepository a = node(codec(NEW));
    SessionRepository b = node(codec(NEW));
    created(a, "s", new ArrayList<>(List.of("x")));
    for (int i = 0; i < 5; i++) {
      SessionRepository node = i % 2 == 0 ? b : a;
      LiveSession session = open(node, "s");
      @SuppressWarnings("unchecked")
      List<String> list = (List<String>) session.attribute("secret");
      Objects.requireNonNull(list).add("y" + i);
      node.flush(session);
      assertThat(open(i % 2 == 0 ? a : b, "s").attribute("secret")).isEqualTo(list);
    }
  }

  @Test
  void keysRotateWhileNodesOfEachStepRun() {
    List<String> steps = List.of(OLD, OLD + "," + NEW, NEW + "," + OLD, NEW);
    for (int i = 0; i + 1 < steps.size(); i++) {
      SessionRepository before = node(codec(steps.get(i)));
      SessionRepository after = node(codec(steps.get(i + 1)));
      if (i < 2) {
        created(before, "b" + i, "value");
        created(after, "a" + i, "value");
        assertThat(open(after, "b" + i).attribute("secret")).isEqualTo("value");
        assertThat(open(before, "a" + i).attribute("secret")).isEqualTo("value");
      } else {
        created(before, "b" + i, "value");
        assertThat(open(after, "b" + i).attribute("secret")).isEqualTo("value");
      }
    }
  }

  @Test
  void encryptionIsSwitchedOnWhileNodesOfEachStepRun() {
    List<AttributeCodec> steps =
        List.of(
            plain,
            codec(NEW, EncryptedCodec.Mode.PREPARE),
            codec(NEW, EncryptedCodec.Mode.MIGRATE));
    for (int i = 0; i + 1 < steps.size(); i++) {
      SessionRepository before = node(steps.get(i));
      SessionRepository after = node(steps.get(i + 1));
      created(before, "b" + i, "value");
      created(after, "a" + i, "value");
      assertThat(open(after, "b" + i).attribute("secret")).isEqualTo("value");
      assertThat(open(before, "a" + i).attribute("secret")).isEqualTo("value");
    }
    assertThat((int) stored("a0", "secret").bytes()[0]).isEqualTo(1);
    assertThat((int) stored("a1", "secret").bytes()[0]).isEqualTo(EncryptedCodec.FORMAT);
    assertThat(open(node(codec(NEW)), "a1").attribute("secret")).isEqualTo("value");
  }

  @ParameterizedTest
  @EnumSource(EncryptedCodec.Mode.class)
  void aNodeWithoutKeysSaysSo(EncryptedCodec.Mode mode) {
    EncodedValue sealed = codec(NEW).seal(plain.encode("x"), ORIGIN, "name");

    assertThatThrownBy(() -> plain.decode(sealed))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("no encryptionKeys");
    assertThat(codec(NEW, mode).open(sealed, ORIGIN, "name")).isEqualTo(plain.encode("x"));
  }

  /** As the first release stored it; the same for ever. */
  @Test
  @Tag("R40")
  void anEncryptedValueOfTheFirstReleaseIsRead() {
    byte[] golden = Base64.getDecoder().decode(GOLDEN);

    assertThat(codec(NEW).open(EncodedValue.of(golden), ORIGIN, "name"))
        .isEqualTo(plain.encode("golden"));
  }

  private static final String GOLDEN =
      "AwAEMjAyNgECAwQFBgcICQoLDOGmrb3h5j3WSoSWcpx44DXApCJrXNR8Ay/klc4OLA==";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        ":AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "a b:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "id:AAAA",
        "id:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!=",
        "id:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= id:BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
      })
  @Tag("R58")
  void whatIsNoKeyIsRefusedWithoutBeingShown(String text) {
    assertThatThrownBy(() -> EncryptionKeys.of(text))
        .isInstanceOf(IllegalArgumentException.class)
        .message()
        .doesNotContain("AAAA");
  }

  @Test
  @Tag("R58")
  void nothingShowsAKey() {
    assertThat(EncryptionKeys.of(OLD + " " + NEW)).hasToString("EncryptionKeys[2025 of 2]");
  }
}
