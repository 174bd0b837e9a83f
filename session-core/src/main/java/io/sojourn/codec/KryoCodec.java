package io.sojourn.codec;

import io.sojourn.AttributeCodec;
import io.sojourn.EncodedValue;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Encodes small and fast what is known to come back as Java serialization would bring it back, and
 * everything else by filtered Java serialization: always the whole attribute by one of the two.
 *
 * <p>The fast form holds values, collections and arrays of the JDK, enums, records, and plain
 * Serializable classes without hooks. Fields are matched by name: one that was added keeps its
 * default, one that was removed is dropped, and {@code serialVersionUID} is not asked. It keeps
 * which objects are the same and cycles, except for values such as strings and numbers.
 *
 * <p>Decodes what {@link JavaCodec} has written too. Thread-safe. Belongs to one application, whose
 * classes it holds, and is to be dropped with it.
 */
public final class KryoCodec implements AttributeCodec {

  private final StoredForms forms;

  /**
   * A codec for one application.
   *
   * @param application where its classes are found
   * @param filter which classes may be stored and made again
   */
  public KryoCodec(ClassLoader application, ClassFilter filter) {
    this(application, filter, CodecLimits.DEFAULT);
  }

  /**
   * A codec for one application.
   *
   * @param application where its classes are found
   * @param filter which classes may be stored and made again
   * @param limits how much one attribute may be
   */
  public KryoCodec(ClassLoader application, ClassFilter filter, CodecLimits limits) {
    this.forms = new StoredForms(application, filter, limits);
  }

  /**
   * {@inheritDoc}
   *
   * @throws io.sojourn.EncodeException if something in the value is not Serializable, is of a class
   *     that the filter refuses or that the application's loader does not find, is nested deeper
   *     than 200 (100 in the Java form), or is larger than 64 MiB
   */
  @Override
  public EncodedValue encode(Object value) {
    return forms.encode(value);
  }

  @Override
  public Object decode(EncodedValue value) {
    return forms.decode(value);
  }

  @Override
  public Optional<BooleanSupplier> watch(Object value) {
    return forms.watch(value);
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
