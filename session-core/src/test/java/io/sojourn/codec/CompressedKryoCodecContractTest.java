package io.sojourn.codec;

import io.sojourn.AttributeCodec;

/** Compressed and then encrypted. */
class CompressedKryoCodecContractTest extends AttributeCodecContract {

  @Override
  AttributeCodec codec() {
    return new EncryptedCodec(
        new CompressedCodec(new KryoCodec(LOADER, FILTER), true),
        EncryptionKeys.of("2026:" + "B".repeat(42) + "A="),
        EncryptedCodec.Mode.REQUIRED);
  }
}
