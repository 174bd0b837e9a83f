package io.sojourn.codec;

import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodeException;
import io.sojourn.EncodedValue;
import io.sojourn.SessionKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.MissingResourceException;
import java.util.Optional;
import java.util.PropertyResourceBundle;
import java.util.ResourceBundle;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Adds to another codec the one object that JSTL's tags put into sessions and that is not
 * Serializable, a {@code LocalizationContext}: {@code <fmt:setBundle scope="session">}. It is
 * stored as the name of its texts and the locales, and made anew from the application's own texts.
 *
 * <p>Texts have to be properties files: a bundle that is a class is refused, so that no stored name
 * ever has a class made. Thread-safe if the codec within is. Belongs to one application, as that
 * does.
 */
public final class LocalizationCodec implements AttributeCodec {

  /*
   * byte 0      format: 5
   * bytes 1-    as the codec within encodes it: a list of the bundle's name and locale, null and null
   *             if there is none, and the locale of the context
   *
   * JSTL is the application's or the container's, so its class is not known here but by name.
   */

  static final byte FORMAT = 5;
  private static final String TYPE = "jakarta.servlet.jsp.jstl.fmt.LocalizationContext";
  private static final ResourceBundle.Control PROPERTIES =
      ResourceBundle.Control.getNoFallbackControl(ResourceBundle.Control.FORMAT_PROPERTIES);

  private final ClassLoader application;
  private final AttributeCodec codec;

  /**
   * Adds it to this codec.
   *
   * @param application where JSTL and the texts are found
   * @param codec what encodes and decodes everything else
   */
  public LocalizationCodec(ClassLoader application, AttributeCodec codec) {
    this.application = application;
    this.codec = codec;
  }

  private static boolean isLocalization(Object value) {
    return value.getClass().getName().equals(TYPE);
  }

  @Override
  public EncodedValue encode(Object value) {
    return isLocalization(value) ? encodeLocalization(value) : codec.encode(value);
  }

  @Override
  public EncodedValue encodeToCompare(Object value) {
    return isLocalization(value) ? encodeLocalization(value) : codec.encodeToCompare(value);
  }

  private EncodedValue encodeLocalization(Object value) {
    Optional<String> refusal = refusal(value);
    if (refusal.isPresent()) {
      throw new EncodeException(refusal.get(), null);
    }
    ResourceBundle bundle = bundle(value);
    List<@Nullable Object> parts = new ArrayList<>();
    parts.add(bundle == null ? null : bundle.getBaseBundleName());
    parts.add(bundle == null ? null : bundle.getLocale());
    parts.add(get(value, "getLocale"));
    byte[] inner = codec.encode(parts).bytes();
    byte[] bytes = new byte[inner.length + 1];
    bytes[0] = FORMAT;
    System.arraycopy(inner, 0, bytes, 1, inner.length);
    return EncodedValue.of(bytes);
  }

  private static @Nullable ResourceBundle bundle(Object value) {
    return (ResourceBundle) get(value, "getResourceBundle");
  }

  private static @Nullable Object get(Object value, String method) {
    try {
      return value.getClass().getMethod(method).invoke(value);
    } catch (ReflectiveOperationException e) {
      throw new EncodeException("A " + TYPE + " without " + method, e);
    }
  }

  @Override
  public Object decode(EncodedValue value) {
    byte[] bytes = value.bytes();
    if (bytes.length == 0 || bytes[0] != FORMAT) {
      return codec.decode(value);
    }
    Object parts = codec.decode(EncodedValue.of(Arrays.copyOfRange(bytes, 1, bytes.length)));
    if (!(parts instanceof List<?> list) || list.size() != 3) {
      throw new DecodeException("A localization that is none", null);
    }
    try {
      String name = (String) list.get(0);
      Locale ofBundle = (Locale) list.get(1);
      ResourceBundle bundle =
          name == null || ofBundle == null
              ? null
              : ResourceBundle.getBundle(name, ofBundle, application, PROPERTIES);
      return Class.forName(TYPE, true, application)
          .getConstructor(ResourceBundle.class, Locale.class)
          .newInstance(bundle, (Locale) list.get(2));
    } catch (MissingResourceException e) {
      throw new DecodeException(
          "The application has no texts " + e.getClassName() + " for a localization", e);
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
      throw new DecodeException("A localization that cannot be made here", e);
    }
  }

  @Override
  public EncodedValue seal(EncodedValue encoded, SessionKey origin, String attribute) {
    return codec.seal(encoded, origin, attribute);
  }

  @Override
  public EncodedValue open(EncodedValue stored, SessionKey origin, String attribute) {
    return codec.open(stored, origin, attribute);
  }

  @Override
  public Optional<BooleanSupplier> watch(Object value) {
    return isLocalization(value) ? Optional.empty() : codec.watch(value);
  }

  @Override
  public boolean isImmutable(Object value) {
    return isLocalization(value) || codec.isImmutable(value);
  }

  @Override
  public Optional<String> refusal(Object value) {
    if (!isLocalization(value)) {
      return codec.refusal(value);
    }
    ResourceBundle bundle = bundle(value);
    return bundle == null
            || (bundle instanceof PropertyResourceBundle && bundle.getBaseBundleName() != null)
        ? Optional.empty()
        : Optional.of(
            TYPE
                + " of a "
                + bundle.getClass().getName()
                + " is not Serializable: only texts in properties files of the application are"
                + " stored");
  }
}
