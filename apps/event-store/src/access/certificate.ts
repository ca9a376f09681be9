import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { Misconfigured, messageOf } from '#platform';

/** A certificate chain and its private key, both PEM. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** @throws Misconfigured when a file cannot be read, is no PEM, or the two do not belong together. */
export function readCertificate(certFile: string, keyFile: string): Certificate {
  const cert = contentOf(certFile, 'certificate');
  const key = contentOf(keyFile, 'private key');
  try {
    createSecureContext({ cert });
  } catch (error) {
    throw new Misconfigured(`The certificate ${certFile} is no PEM certificate (${messageOf(error)}).`);
  }
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new Misconfigured(
      `The private key ${keyFile} cannot be used with the certificate ${certFile} (${messageOf(error)}): give the key, in PEM and without a passphrase, that the certificate was made for.`,
    );
  }
  return { cert, key };
}

function contentOf(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Misconfigured(`The ${what} ${file} cannot be read (${messageOf(error)}).`);
  }
}
