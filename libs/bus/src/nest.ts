/* The bus's second door: whoever enters by the first one does not load Nest, which takes longer than all the rest. */
export { BusContext, BusErrorFilter, BusTransport, Consumes, type Route } from './transport.js';
