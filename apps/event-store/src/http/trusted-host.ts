import { isIP } from 'node:net';

/**
 * Without users the loopback interface is all that protects the events, and any site can give its own name our
 * address: a browser would then show our pages to its scripts. A numeric address cannot be given to a site's name.
 */
export function isTrustedHost(host: string, names: readonly string[]): boolean {
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  return isIP(name) !== 0 || name === 'localhost' || names.some((one) => one.toLowerCase() === name);
}
