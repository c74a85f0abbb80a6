import type { GinConfig, GinValue } from '../checkpoint/gin.ts';

/** Names of what the user may say where neither weights nor configuration do. */
export type SettingName = 'encoderHeads' | 'heads';

/** A number of attention heads, which the tensors do not tell. */
export interface HeadSetting {
  name: SettingName;
  /** Whose heads they are, for messages. */
  subject: string;
  /** In the note that says a value was assumed. */
  what: string;
  /** Option of the command line. */
  option: string;
  read: (config: GinConfig) => GinValue | undefined;
  /** Published value for a model of width D. */
  fallback: (dim: number) => number;
}
