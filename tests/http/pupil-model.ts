// A small model that nobody trained on labels, asked in a chat template of its own.
import { layOutInTemplate } from '../../src/generation/template-layout.ts';
import { ChatTemplate } from '../../src/model/tokenizer/chat-template.ts';
import type { Conversation } from '../../src/steerlm/conversation.ts';
import { everyday } from '../../src/steerlm/schemas.ts';
import { ParrotModel } from './small-models.ts';

const source = "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\n' }}{% endfor %}assistant: ";

export class PupilModel extends ParrotModel {
  override readonly id: string = 'pupil';
  override readonly schema = everyday;
  override readonly chat = 'template';
  override readonly contextLength = 2048;
  readonly #template = new ChatTemplate({ source, tokens: [], named: {} }, { mostMs: 60_000, mostLetters: 100_000 });

  override layOut(conversation: Conversation) {
    return layOutInTemplate(this.#template, conversation);
  }
}
