package io.sojourn.codec;

import io.sojourn.AttributeCodec;

class EncryptedKryoCodecContractTest extends AttributeCodecContract {

  private static final EncryptionKeys KEYS = EncryptionKeys.of("2026:" + "B".repeat(42) + "A=");

  @Override
  AttributeCodec codec() {
    return new EncryptedCodec(new KryoCodec(LOADER, FILTER), KEYS, EncryptedCodec.Mode.REQUIRED);
  }
}
