/** All probes, in the order of the table. */

import type { Probe } from './probe.ts';
import { CLOSING } from './probes/closing.ts';
import { CREATING } from './probes/creating.ts';
import { GIVING_BACK } from './probes/giving-back.ts';
import { HOOKS } from './probes/hooks.ts';
import { WAITING } from './probes/waiting.ts';

export const PROBES: readonly Probe[] = [...GIVING_BACK, ...CREATING, ...WAITING, ...CLOSING, ...HOOKS];
