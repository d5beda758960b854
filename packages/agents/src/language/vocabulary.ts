// The model's vocabulary: wink adds every unknown word to it and keeps it for ever, so it can be put back.
import { createRequire } from 'node:module';
import model from 'wink-eng-lite-web-model';
import type { Model } from 'wink-nlp';

/** A list that wink lengthens while it reads: words, and their shapes, beginnings and ends. */
interface Growing {
  readonly list: string[];
  /** Where each value stands in the list. */
  readonly hash: Record<string, number>;
  /** Where the next value will stand. */
  index: number;
  /** Length of the list after loading. */
  readonly intrinsicSize: number;
}

interface Core {
  readonly features: { readonly lexeme: Growing } & Readonly<Record<string, Growing | { readonly list: unknown[] }>>;
}

/** wink's functions over the vocabulary; what they know of unknown words is in an array that only they can see. */
type Cache = object;

interface Features {
  readonly pos: (word: string, category: number, cache: Cache) => number;
}

/** The doors of the model that are used here; its own types leave them unknown. */
interface Loader {
  readonly core: () => Core;
  readonly featureFn: (config: unknown) => Features;
}

const makeCache = createRequire(import.meta.url)('wink-nlp/src/cache.js') as (
  core: Core,
  featureFn: Loader['featureFn'],
) => Cache;

export class Vocabulary {
  /** The model to make one wink with, which reads with this vocabulary. */
  readonly model: Model = {
    ...model,
    core: () => this.#load(),
    featureFn: (config: unknown) => this.#extractors(config),
  };
  #core: Core | undefined;
  #growing: readonly Growing[] = [];
  #features: Features | undefined;
  #cache: Cache | undefined;

  /** How many words it has that the model did not bring. */
  get learnt(): number {
    if (this.#core === undefined) return 0;
    const { list, intrinsicSize } = this.#core.features.lexeme;
    return list.length - intrinsicSize;
  }

  /** Makes the vocabulary what it was after loading; documents that were read before are no longer readable. */
  forget(): void {
    const [core, cache, features] = [this.#core, this.#cache, this.#features];
    if (this.learnt === 0 || core === undefined || cache === undefined || features === undefined) return;
    for (const feature of this.#growing) {
      for (const value of feature.list.slice(feature.intrinsicSize)) Reflect.deleteProperty(feature.hash, value);
      feature.list.length = feature.intrinsicSize;
      feature.index = feature.intrinsicSize;
    }
    // All of wink calls the functions of this one object, so new functions over the same model are all it takes.
    Object.assign(
      cache,
      makeCache(core, () => features),
    );
  }

  #load(): Core {
    const core = (model as unknown as Loader).core();
    this.#core = core;
    this.#growing = Object.values(core.features).filter((feature) => 'intrinsicSize' in feature);
    return core;
  }

  /** The cache shows itself to the guess of an unknown word's part of speech, and nowhere else. */
  #extractors(config: unknown): Features {
    const features = (model as unknown as Loader).featureFn(config);
    this.#features = {
      ...features,
      pos: (word, category, cache) => {
        this.#cache ??= cache;
        return features.pos(word, category, cache);
      },
    };
    return this.#features;
  }
}
