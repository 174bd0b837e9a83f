package io.sojourn.codec;

import io.sojourn.AttributeCodec;
import io.sojourn.EncodedValue;
import java.util.Optional;

/**
 * Encodes by Java serialization, with every class asked of a {@link ClassFilter} and with bounds on
 * size and depth: for an application that wants the rules of serialization and nothing else, at
 * several times the size and time of {@link KryoCodec}.
 *
 * <p>Decodes what {@link KryoCodec} has written too. Thread-safe. Belongs to one application, whose
 * classes it holds, and is to be dropped with it.
 */
public final class JavaCodec implements AttributeCodec {

  private final StoredForms forms;

  /**
   * A codec for one application.
   *
   * @param application where its classes are found
   * @param filter which classes may be stored and made again
   */
  public JavaCodec(ClassLoader application, ClassFilter filter) {
    this(application, filter, CodecLimits.DEFAULT);
  }

  /**
   * A codec for one application.
   *
   * @param application where its classes are found
   * @param filter which classes may be stored and made again
   * @param limits how much one attribute may be
   */
  public JavaCodec(ClassLoader application, ClassFilter filter, CodecLimits limits) {
    this.forms = new StoredForms(application, filter, limits);
  }

  /**
   * {@inheritDoc}
   *
   * @throws io.sojourn.EncodeException if something in the value is not Serializable, is of a class
   *     that the filter refuses or that the application's loader does not find, is nested deeper
   *     than 100, or is larger than 64 MiB
   */
  @Override
  public EncodedValue encode(Object value) {
    return forms.encodeJava(value);
  }

  @Override
  public Object decode(EncodedValue value) {
    return forms.decode(value);
  }

  @Override
  public boolean isImmutable(Object value) {
    return forms.isImmutable(value);
  }

  @Override
  public Optional<String> refusal(Object value) {
    return forms.refusal(value);
  }
}
