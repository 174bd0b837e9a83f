/**
 * Attributes as bytes: {@link io.sojourn.codec.KryoCodec}, which is small and fast where that is
 * known to be faithful and uses Java serialization otherwise, {@link io.sojourn.codec.JavaCodec},
 * which always uses it, and {@link io.sojourn.codec.ClassFilter}, which says what either may
 * instantiate. {@link io.sojourn.codec.CompressedCodec} and {@link io.sojourn.codec.EncryptedCodec}
 * go around either, in this order.
 *
 * <p>Inside, {@code StoredForms} frames and checks the bytes, {@code ClassRule} decides once per
 * class how it is stored, {@code JavaForm} is filtered Java serialization, and {@code Graph} is one
 * Kryo with the tables ({@code JdkForms}, {@code StructForm}) that it writes by. The format is in
 * {@code docs/format.md}.
 */
@NullMarked
package io.sojourn.codec;

import org.jspecify.annotations.NullMarked;
