package io.sojourn.codec;

import io.sojourn.AttributeCodec;

class EncryptedJavaCodecContractTest extends AttributeCodecContract {

  private static final EncryptionKeys KEYS = EncryptionKeys.of("2026:" + "B".repeat(42) + "A=");

  @Override
  AttributeCodec codec() {
    return new EncryptedCodec(new JavaCodec(LOADER, FILTER), KEYS, EncryptedCodec.Mode.REQUIRED);
  }
}
