import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PriceTable } from '#contracts';
import { Misconfigured, messageOf } from '#platform';

/**
 * The prices of models: those of the file, or those that Baton ships.
 * @throws Misconfigured with a sentence that names the file and what is wrong in it.
 */
export function loadPrices(file = shippedPrices()): PriceTable {
  const result = PriceTable.safeParse(jsonOf(file));
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`);
  throw new Misconfigured(`The prices in ${file} cannot be used (BATON_PRICES): ${faults.join('; ')}.`);
}

function jsonOf(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Misconfigured(`The file of prices ${file} cannot be read (BATON_PRICES): ${messageOf(cause)}.`, {
      cause,
    });
  }
}

/** `prices.json` lies beside package.json, for the sources as well as for the build. */
function shippedPrices(folder = dirname(fileURLToPath(import.meta.url))): string {
  return existsSync(join(folder, 'package.json')) ? join(folder, 'prices.json') : shippedPrices(dirname(folder));
}
