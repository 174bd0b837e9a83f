package io.sojourn;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.codec.ClassFilter;
import io.sojourn.codec.KryoCodec;
import io.sojourn.codec.MeasuredCodec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What is only read is not encoded again and again, and what changes in it is saved all the same.
 */
@Tag("G2")
@Tag("R1")
class WatchedValuesTest {

  private static final Duration HALF_AN_HOUR = Duration.ofMinutes(30);

  private final SessionStore store = new InMemorySessionStore(() -> Duration.ZERO);
  private final HookedCodec hooked = new HookedCodec();
  private final MeasuredCodec codec = new MeasuredCodec(hooked);
  private final SessionRepository node = new SessionRepository(store, codec, SessionPolicy.DEFAULT);
  private final SessionRepository other =
      new SessionRepository(store, new HookedCodec(), SessionPolicy.DEFAULT);

  /**
   * Lets something happen once, as if in another thread, when a value has been encoded to compare.
   */
  private static final class HookedCodec implements AttributeCodec {
    private final AttributeCodec codec =
        new KryoCodec(WatchedValuesTest.class.getClassLoader(), ClassFilter.of("io.sojourn.*"));
    private final AtomicInteger watches = new AtomicInteger();
    private Runnable afterWatch = () -> {};
    private Runnable afterEncoding = () -> {};

    @Override
    public EncodedValue encode(Object value) {
      return codec.encode(value);
    }

    @Override
    public EncodedValue encodeToCompare(Object value) {
      EncodedValue encoded = codec.encodeToCompare(value);
      Runnable meanwhile = afterEncoding;
      afterEncoding = () -> {};
      meanwhile.run();
      return encoded;
    }

    @Override
    public Object decode(EncodedValue value) {
      return codec.decode(value);
    }

    @Override
    public Optional<BooleanSupplier> watch(Object value) {
      Optional<BooleanSupplier> unchanged = codec.watch(value);
      watches.incrementAndGet();
      Runnable meanwhile = afterWatch;
      afterWatch = () -> {};
      meanwhile.run();
      return unchanged;
    }

    @Override
    public boolean isImmutable(Object value) {
      return codec.isImmutable(value);
    }

    @Override
    public Optional<String> refusal(Object value) {
      return codec.refusal(value);
    }
  }

  private LiveSession begun() {
    LiveSession session = node.create("s", HALF_AN_HOUR);
    session.setAttribute("cart", new ArrayList<>(List.of(new ArrayList<>(List.of("book")))));
    assertThat(node.flush(session)).isTrue();
    return session;
  }

  /** A request that reads the cart. */
  @SuppressWarnings("unchecked")
  private List<List<String>> request(Runnable before) {
    LiveSession session = requireNonNull(node.open("s"));
    node.beginUse(session);
    List<List<String>> cart = (List<List<String>>) requireNonNull(session.attribute("cart"));
    before.run();
    assertThat(node.flush(session)).isTrue();
    node.endUse(session);
    return cart;
  }

  private List<List<String>> request() {
    return request(() -> {});
  }

  private @Nullable Object cartElsewhere() {
    return requireNonNull(other.open("s")).attribute("cart");
  }

  @Test
  @Tag("G9")
  void whatIsReadAgainAndAgainIsEncodedTwice() {
    begun();
    for (int i = 0; i < 100; i++) {
      request();
    }
    assertThat(codec.statistics().checks()).isEqualTo(2);
  }

  @Test
  void whatChangesInItIsSaved() {
    begun();
    for (int i = 0; i < 10; i++) {
      request();
      List<List<String>> cart = request();
      request(() -> cart.get(0).add("lamp"));
    }
    assertThat(cartElsewhere()).hasToString("[[book" + ", lamp".repeat(10) + "]]");
  }

  @Test
  void whatChangesBetweenALookAtItAndItsEncodingIsSaved() {
    begun();
    List<List<String>> cart = request();
    hooked.afterWatch = () -> cart.get(0).add("lamp");
    request();
    assertThat(cart.get(0)).contains("lamp");
    assertThat(cartElsewhere()).hasToString("[[book, lamp]]");
  }

  /** As a rollback does, or a mark that is set while something is under way. */
  @Test
  void whatChangesForAnEncodingAndBackIsSaved() {
    begun();
    List<List<String>> cart = request();
    hooked.afterWatch = () -> cart.get(0).add("lamp");
    request();
    assertThat(cartElsewhere()).hasToString("[[book, lamp]]");
    request(() -> cart.get(0).remove("lamp"));
    assertThat(cartElsewhere()).hasToString("[[book]]");
  }

  @Test
  void whatHasChangedBackByItsEncodingIsSavedWhenItChangesAgain() {
    begun();
    List<List<String>> cart = request();
    String lamp = "lamp";
    hooked.afterWatch = () -> cart.get(0).remove(lamp);
    request(() -> cart.get(0).add(lamp));
    assertThat(cartElsewhere()).hasToString("[[book]]");
    request(() -> cart.get(0).add(lamp));
    assertThat(cartElsewhere()).hasToString("[[book, lamp]]");
  }

  @Test
  void whatCannotBeWatchedIsNotLookedThroughEachTime() {
    LiveSession session = node.create("s", HALF_AN_HOUR);
    session.setAttribute("cart", new ArrayList<>(List.of(new ArrayList<>(), new int[] {1})));
    assertThat(node.flush(session)).isTrue();
    for (int i = 0; i < 10; i++) {
      request();
    }
    assertThat(hooked.watches).hasValue(1);
  }

  @Test
  void whatChangesRightAfterItsEncodingIsSavedByTheNextRequest() {
    begun();
    List<List<String>> cart = request();
    hooked.afterEncoding = () -> cart.get(0).add("lamp");
    request();
    request();
    assertThat(cart.get(0)).contains("lamp");
    assertThat(cartElsewhere()).hasToString("[[book, lamp]]");
  }

  @Test
  void whatIsSetAgainAndHasNotChangedIsNeitherEncodedNorSaved() {
    LiveSession session = begun();
    List<List<String>> cart = request();
    request();
    long version = session.seenVersion();
    long checks = codec.statistics().checks();
    request(() -> session.setAttribute("cart", cart));
    assertThat(session.seenVersion()).isEqualTo(version);
    assertThat(codec.statistics().checks()).isEqualTo(checks);
  }

  @Test
  void whatAnotherNodeHasSavedTakesThePlaceOfWhatIsWatched() {
    begun();
    request();
    request();
    LiveSession elsewhere = requireNonNull(other.open("s"));
    elsewhere.setAttribute("cart", new ArrayList<>(List.of(new ArrayList<>(List.of("chair")))));
    assertThat(other.flush(elsewhere)).isTrue();
    assertThat(request()).hasToString("[[chair]]");
    List<List<String>> cart = request();
    request(() -> cart.get(0).add("lamp"));
    assertThat(cartElsewhere()).hasToString("[[chair, lamp]]");
  }
}
