/** What the gateway is given from outside, by the tokens that Nest injects it with. */
export const EVENT_LOG = Symbol('the event log');
export const LIVE_BUS = Symbol('the bus, once it is there');
export const PARKING = Symbol('where parked messages are kept');
export const API_KEY = Symbol('the API key');
export const KEY_FILE = Symbol('where the API key lies');
export const CLOCK = Symbol('the clock');
export const LOGGER = Symbol('the logger');
export const LIVE_PARTS = Symbol('what every live connection works with');
export const TIMING = Symbol('how long viewers and heartbeats are waited for');
export const LIMITS = Symbol('what this server allows at most');
