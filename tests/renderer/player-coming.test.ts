// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { Player } from '../../renderer/src/player/player.svelte.ts';
import { Notices } from '../../renderer/src/shell/notices.svelte.ts';
import { Settings } from '../../renderer/src/shell/settings.svelte.ts';
import { FakeEngine } from './fake.ts';

const track = (id: string) => ({ id, title: id, path: `${id}.wav`, durationSeconds: 8 });

/** A player whose tracks arrive when told, and how often its element was asked to play. */
function playerOf(): { player: Player; arrive: () => Promise<void>; plays: () => string[] } {
  let arrive: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (arrive = resolve));
  const engine = new FakeEngine({
    'tracks.audioUrl': async ({ trackId }: { trackId: string }) => {
      await gate;
      return { url: `archetone://audio/${trackId}` };
    },
    'tracks.peaks': () => null,
  });
  const player = new Player('L', engine, new Notices(), new Settings(engine));
  const played: string[] = [];
  const audio = document.createElement('audio');
  audio.play = () => {
    played.push(audio.src);
    return Promise.resolve();
  };
  audio.pause = () => undefined;
  player.attach(audio);
  const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 150));
  return {
    player,
    arrive: async () => {
      arrive();
      await settle();
    },
    plays: () => played,
  };
}

describe('a track on its way into the player', () => {
  it('is played when it is there', async () => {
    const { player, arrive, plays } = playerOf();
    void player.showTrack(track('a'), { play: true });
    await arrive();
    expect(plays()).toEqual(['archetone://audio/a']);
  });

  it.each(['showSoon', 'showTrack'] as const)(
    'stays silent where Stop was pressed meanwhile (%s)',
    async (how) => {
      const { player, arrive, plays } = playerOf();
      void player[how](track('a'), { play: true });
      player.stop();
      await arrive();
      expect(player.source?.trackId).toBe('a');
      expect(plays()).toEqual([]);
    },
  );

  it('is what Play means, and not what it takes the place of', async () => {
    const { player, arrive, plays } = playerOf();
    player.showSoon(track('b'), { play: false });
    player.toggle();
    await arrive();
    expect(plays()).toEqual(['archetone://audio/b']);
  });
});
