package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodeException;
import io.sojourn.EncodedValue;
import jakarta.servlet.jsp.jstl.fmt.LocalizationContext;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.ListResourceBundle;
import java.util.Locale;
import java.util.ResourceBundle;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What JSTL's tags put into sessions. */
@Tag("R46")
class LocalizationCodecTest {

  @TempDir
  @SuppressWarnings("NullAway.Init")
  private Path classes;

  @SuppressWarnings("NullAway.Init")
  private URLClassLoader application;

  @SuppressWarnings("NullAway.Init")
  private AttributeCodec codec;

  @BeforeEach
  void bringTexts() throws Exception {
    Files.writeString(classes.resolve("texts.properties"), "hello=Hello\nbye=Bye\n");
    Files.writeString(classes.resolve("texts_de.properties"), "hello=Hallo\n");
    application = loader();
    codec = codec(application);
  }

  private URLClassLoader loader() throws Exception {
    return new URLClassLoader(new URL[] {classes.toUri().toURL()}, getClass().getClassLoader());
  }

  private static AttributeCodec codec(ClassLoader loader) {
    return new LocalizationCodec(loader, new KryoCodec(loader, ClassFilter.of("")));
  }

  @AfterEach
  void close() throws Exception {
    application.close();
  }

  private ResourceBundle texts(Locale locale) {
    return ResourceBundle.getBundle("texts", locale, application);
  }

  @Test
  void aLocalizationIsMadeAnewFromTheTextsOfTheNodeThatReadsIt() throws Exception {
    EncodedValue stored =
        codec.encode(new LocalizationContext(texts(Locale.GERMANY), Locale.GERMANY));
    Files.writeString(classes.resolve("texts_de.properties"), "hello=Moin\n");
    try (URLClassLoader elsewhere = loader()) {
      LocalizationContext read = (LocalizationContext) codec(elsewhere).decode(stored);
      assertThat(read.getLocale()).isEqualTo(Locale.GERMANY);
      assertThat(read.getResourceBundle().getLocale()).isEqualTo(Locale.GERMAN);
      assertThat(read.getResourceBundle().getString("hello")).isEqualTo("Moin");
      assertThat(read.getResourceBundle().getString("bye")).isEqualTo("Bye");
      assertThat(codec(elsewhere).encode(read)).isEqualTo(stored);
      assertThat(codec.isImmutable(read)).isTrue();
    }
  }

  /** As the first release stored it: read for ever. */
  @Test
  @Tag("R40")
  void aLocalizationOfTheFirstReleaseIsRead() {
    EncodedValue golden = EncodedValue.of(Base64.getDecoder().decode(GOLDEN));

    LocalizationContext read = (LocalizationContext) codec.decode(golden);
    assertThat(read.getLocale()).isEqualTo(Locale.GERMANY);
    assertThat(read.getResourceBundle().getLocale()).isEqualTo(Locale.GERMAN);
    assertThat(read.getResourceBundle().getString("hello")).isEqualTo("Hallo");
    assertThat(codec.encode(read)).isEqualTo(golden);
  }

  private static final String GOLDEN = "BQEAyvtGtCEBAwIKdGV4dHMQBGRlAAAQBGRlBERFAA==";

  @Test
  void oneWithoutTextsIsStoredToo() {
    LocalizationContext read =
        (LocalizationContext) codec.decode(codec.encode(new LocalizationContext()));
    assertThat(read.getResourceBundle()).isNull();
    assertThat(read.getLocale()).isNull();
  }

  @Test
  void oneWhoseTextsAreAClassIsRefused() {
    ResourceBundle made =
        new ListResourceBundle() {
          @Override
          protected Object[][] getContents() {
            return new Object[][] {{"hello", "Hello"}};
          }
        };
    LocalizationContext localization = new LocalizationContext(made);
    assertThat(codec.refusal(localization).orElseThrow()).contains("properties files");
    assertThatThrownBy(() -> codec.encode(localization))
        .isInstanceOf(EncodeException.class)
        .hasMessageContaining("properties files");
  }

  /** Whoever writes into the store must not have classes made of his choosing. */
  public static final class Planted extends ListResourceBundle {
    static final AtomicBoolean MADE = new AtomicBoolean();

    public Planted() {
      MADE.set(true);
    }

    @Override
    protected Object[][] getContents() {
      return new Object[0][];
    }
  }

  @Test
  @Tag("G10")
  @Tag("R57")
  void aStoredNameOfAClassMakesNone() {
    EncodedValue inner =
        new KryoCodec(application, ClassFilter.of(""))
            .encode(
                new ArrayList<>(Arrays.asList(Planted.class.getName(), Locale.ROOT, Locale.ROOT)));
    byte[] bytes = new byte[inner.size() + 1];
    bytes[0] = LocalizationCodec.FORMAT;
    System.arraycopy(inner.bytes(), 0, bytes, 1, inner.size());
    assertThatThrownBy(() -> codec.decode(EncodedValue.of(bytes)))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("no texts");
    assertThat(Planted.MADE).isFalse();
  }

  @Test
  void everythingElseIsTheOtherCodecs() {
    AttributeCodec other = new KryoCodec(application, ClassFilter.of(""));
    assertThat(codec.encode("text")).isEqualTo(other.encode("text"));
    assertThat(codec.decode(other.encode("text"))).isEqualTo("text");
    assertThat(codec.refusal(new Object())).isEqualTo(other.refusal(new Object()));
    assertThatThrownBy(() -> codec.decode(EncodedValue.of(new byte[] {LocalizationCodec.FORMAT})))
        .isInstanceOf(DecodeException.class);
  }
}
