// The models of requests, by name, loaded where they were not. Who waits for that is refused when the server begins to stop.
import type { LanguageModel } from '../generation/language-model.ts';
import type { ConversationScore, Predictor } from '../predictor/predictor.ts';
import { findChatModel, findModel, type Models } from '../registry/models.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import type { RequestContext } from './app-context.ts';
import { untilBegun } from './stopping.ts';

/** Throws `model_not_found`, `invalid_model` and `not_ready`. */
export function languageModel(c: RequestContext, models: Models, name: string | null | undefined): Promise<LanguageModel> {
  return untilBegun(c, models.language(findModel(models, name, ['language']).id));
}

/** The same of one that replies to conversations; throws `invalid_request` for another. */
export function chatModel(c: RequestContext, models: Models, name: string | null | undefined): Promise<LanguageModel> {
  return untilBegun(c, models.language(findChatModel(models, name).id));
}

/** Throws `model_not_found`, `invalid_model` and `not_ready`. */
export function predictorModel(c: RequestContext, models: Models, name: string | null | undefined): Promise<Predictor> {
  return untilBegun(c, models.predictor(findModel(models, name, ['predictor']).id));
}

/** The scores of the conversations; once their first run has begun, they are waited for while the server stops. */
export async function scoreConversations(
  c: RequestContext,
  predictor: Predictor,
  conversations: Conversation[],
): Promise<ConversationScore[]> {
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const scoring = predictor.score(conversations, c.get('abort').signal, c.get('caller'), begin);
  await untilBegun(c, Promise.race([begun, scoring]));
  return await scoring;
}
