// Player lines of courtesy: greeting, farewell, thanks, apology, how are you. Data only.
import { type Intent, intent } from '../fragment.ts';

export const courtesy: Intent[] = [
  intent({
    name: 'greeting',
    topic: '',
    lines: `Hello!|Good morning.|Good evening to you.|Hi there.|Greetings.|Hello, is anyone here?|Good day to you.|Hey!|Well met.|
      Hello, may I come in?|Good afternoon.|Hello again.|Hi, {name}.|Hello, {name}!|Good to see you.|Nice to meet you.|Knock knock.|
      Ah, there you are.|Hello, I'm new here.|A good day to you, {name}.|Hello, friend.|I just got here. Hello!|Are you open?|
      Morning!|Hello, do you have a minute?`,
    refuse: `Not now.|No visitors.|Go on, keep walking.|I have no time for greetings.|I'm not talking to anyone today.|The door is over there.|
      I didn't hear you, and I don't plan to.|I don't speak to strangers.`,
    deflect: `Hm.|You again?|Ah.|Somebody is here, then.|Oh, a voice.|You could be anyone.|I suppose you've come in now.|Is it that late already?`,
    half: `Hello, then.|Hello.|Good day, I suppose.|Hello, whoever you are.|Hello, I was nearly asleep.|So you found {place}.|
      Good day, if it is one.|Hello, I'm in the middle of something.`,
    answer: `Hello there!|Good day!|Welcome!|Hello, welcome!|Welcome to {place}.|Hello, and welcome to {town}.|Good to see you.|
      Hello, come in and rest a moment.|A good day to you, traveller.|Hello, it's good to see a new face.|Welcome, come closer.|
      Good day, I'm glad you stopped by.`,
    step: `Need help?|Sit down.|What brings you?|How can I help?|What can I do for you today?|Sit down and tell me what you need.|
      Ask me anything about {town}.|Tell me where you're going, and I'll help you get there.|May I show you around {place}?|
      Let me know if you need a bed, a meal or a good word.`,
    talk: `You have dust on your boots.|It has been a slow day so far.|I don't think we've met before.|The door sticks a little, as you saw.|
      Most people come later in the day.|You picked a fine hour to come.|I heard your steps from far away.|New faces are rare at {place}.`,
    more: `There's room for everyone here.|You can leave your bag by the door.|Strangers are only friends who are late.|
      Everyone finds {place} sooner or later.|I've kept a seat free just in case.`,
    quip: `The goose says hello.|Wipe your hooves.|Mind the cat.|You're late, Tuesday.`,
    joke: `I'd shake your hand, but mine is in a pie.|You look taller than yesterday, when you weren't here.|
      I said hello to the goat as well, so don't feel special.|Come in quickly, before my good mood leaves.|
      I've practised this hello all morning in front of a cabbage.`,
    tint: `The door smiled.|Even the dust dances.|The morning sent you.`,
    image: `You came in like the first warm wind of the year.|Every hello is a small lamp lit at a window.|
      The air moved aside for you like a curtain.|Some visitors arrive as weather, and you are a clear sky.`,
  }),
  intent({
    name: 'farewell',
    topic: '',
    lines: `Goodbye.|Farewell!|I have to go now.|See you later.|Bye!|I'm off.|I must be going.|Until next time.|Good night.|Take care.|
      It's time for me to leave.|Goodbye, {name}.|I'll be on my way.|I should get going.|Well, that's all. Goodbye.|See you tomorrow.|
      I won't keep you any longer.|The road is calling me.|I'm leaving {town} today.|So long!|Farewell, {name}, until we meet again.`,
    refuse: `No.|Not yet.|I don't do goodbyes.|You can't leave yet.|I'm not saying goodbye to you.|I didn't notice you were here.|Then go without a word from me.`,
    deflect: `Hm.|Already?|So soon?|Oh, is it time?|People come and go.|Were you here long?|Perhaps we'll meet, perhaps not.`,
    half: `Bye, then.|Goodbye.|Go on, then.|Goodbye, I suppose.|Leave the door as you found it.|Goodbye, I have work to do.|So that's that, then.`,
    answer: `Farewell!|Safe travels!|Goodbye, friend!|Goodbye and good luck.|Farewell, and safe roads.|Goodbye, it was good to talk to you.|
      May the road be kind to you.|Until next time, then.|Travel well and sleep dry.|Goodbye, and may the weather hold.`,
    step: `Come back soon.|Write to me.|Take some bread along.|Come back whenever you pass {town}.|Take the {landmark_bare} road, it's safer at this hour.|
      Send word when you arrive.|Take this apple for the road.|If you need help on the way, say that {name} sent you.|Keep your lamp lit until you pass the gate.`,
    talk: `The light is going already.|It gets quiet at {place} in the evening.|Leaving is the part I never learned.|The gate closes at sunset.|
      I've said goodbye to many people at this door.|The road looks dry from here.|You weren't here for long.`,
    more: `The door of {place} stays open for you.|I'll think of you when the wind turns.|The stories will be better when you return.|
      A good guest leaves a warm chair behind.`,
    quip: `The goose will cry.|Leave the spoons here.|Don't forget your head.|I'll miss your boots.`,
    joke: `If you find my good sock on the road, send it home.|I'll count the minutes, or the sheep, whichever come first.|
      Walk slowly, so the goat can finish waving.|I cried the last time someone left, but that was the onions.`,
    tint: `The road opens its hand.|The dust waves back.|Evening walks with you.`,
    image: `May the stars hang low enough to light your boots.|Every goodbye is a boat untied at dusk.|
      The road will unroll before you like a long grey ribbon.|You leave a small warm shape in the air.`,
  }),
  intent({
    name: 'thanks',
    topic: '',
    after: ['*'],
    lines: `Thank you.|Thanks!|Thank you very much.|Thanks a lot.|Thank you, {name}.|That helps, thank you.|I'm grateful.|Many thanks.|
      You've been a great help.|That's kind of you.|Thanks for your time.|I appreciate it.|I owe you one.|Good to know, thanks.|
      Thank you for telling me.|You have my thanks.|Perfect, thank you.|That's all I needed, thanks.|Cheers!|Thank you for everything.`,
    refuse: `Keep your thanks.|Don't thank me.|I don't want thanks.|No, I did nothing for you.|Thanks don't buy bread.|I'd take it back if I could.|Save it for someone who cares.`,
    deflect: `Hm.|If you say so.|For what?|Did I help?|I don't recall doing much.|We'll see if it was any use.|Thank the weather, not me.`,
    half: `All right.|It's fine.|Fine, fine.|It wasn't much.|I only said what I know.|I would have told anyone.|Good, then we're even.`,
    answer: `You're welcome.|My pleasure.|Any time.|Gladly done.|You're very welcome.|I'm happy to help.|It was a pleasure to help you.|
      You're welcome, it cost me nothing.|Helping you was the best part of my day.|You're always welcome at {place}.`,
    step: `Anything else?|Ask again.|Come back any time.|Is there anything else you need?|Let me know how it turns out.|
      If you get stuck, come and find me at {place}.|Tell your friends to ask for {name}.|Shall I write it down for you as well?`,
    talk: `People rarely say that these days.|Good manners are worth more than silver.|That's a word I don't hear often.|
      My mother would have liked you.|It's a small thing in a long day.|A thank you keeps the cold out.`,
    more: `I remember how it is to be new in {town}.|We help each other here.|Someone helped me once in the same way.|That's what neighbours are for.`,
    quip: `I accept pies.|Frame that thanks.|My goat blushed.|Tips in cheese.`,
    joke: `You can thank me with a cake the size of your gratitude.|I'll add it to my large collection of two thanks.|
      Say it louder, the goose did not hear.|I was only being nice to win a bet with my hat.`,
    tint: `Thanks glow like embers.|The room warmed up.|Kindness is spring rain.`,
    image: `A thank you is a coin that never wears thin.|Your words lit a small fire in a cold room.|Kindness goes round like a bird that knows every roof.|Gratitude grows in the cracks like bright moss.`,
  }),
  intent({
    name: 'apology',
    topic: '',
    lines: `I'm sorry.|I apologise.|Forgive me.|I didn't mean to disturb you.|Sorry about that.|I'm sorry I'm late.|Please forgive me, {name}.|
      I'm sorry for what I said.|That was my fault.|I made a mistake.|I feel bad about yesterday.|My apologies.|Sorry, I broke something.|
      I didn't mean it.|I was wrong, and I'm sorry.|Can you forgive me?|Sorry to bother you.|I hope you aren't angry with me.|
      I regret what happened.|Sorry, I stepped on your foot.`,
    refuse: `No.|Never.|Not this time.|I can't forgive that.|I don't want to hear it.|Sorry won't fix it.|No, you'll have to live with it.|I won't forget what you did.`,
    deflect: `We'll see.|Perhaps.|Hm.|Sorry for what?|Let's not talk about it.|Time will tell if you mean it.|I haven't decided how I feel.`,
    half: `Fine.|All right, then.|I'll try.|I'll forget it, mostly.|I accept, but I'm still cross.|It still hurts a little.|We can leave it there for today.`,
    answer: `All forgiven.|I forgive you.|It's forgotten.|No harm done.|I forgive you, of course.|It's all right, we all make mistakes.|
      It's already forgotten.|I'm not angry with you anymore.|Thank you for saying so, I forgive you.`,
    step: `Let's shake hands.|Start again.|Sit with me.|Let's begin again from here.|Sit down and have something warm with me.|
      Help me sweep up, and we're even.|Next time, come and talk to me first.|Let's shake hands and leave it behind us.`,
    talk: `It takes courage to say that.|I've made bigger mistakes myself.|Yesterday was a bad day for both of us.|Words can leave a bruise.|
      I thought about it half the night.|Old quarrels make poor pillows.`,
    more: `You came back and said it, and that matters.|I was loud as well.|Nothing is broken that glue can't mend.|A friend is worth more than a cup.`,
    quip: `The vase forgives you.|My toe disagrees.|Bribe me with pie.|The cat saw everything.`,
    joke: `I'll forgive you when my foot goes back to its old shape.|I've already told the goat, and he took your side.|
      My anger lasts as long as a cake, so about four minutes.|I was going to sulk until Friday, but I forgot why.`,
    tint: `Anger melts like frost.|The storm went home.|Rain washed it off.`,
    image: `Anger is a coal, and I'm tired of holding it.|A sorry is a bridge made of one plank, but it holds.|The cloud between us has rained itself out.|Forgiveness opens slowly, like a window swollen with rain.`,
  }),
  intent({
    name: 'wellbeing',
    topic: '',
    needs: 'persona',
    lines: `How are you?|How are you today?|How do you do?|How is it going?|Are you all right?|How are things?|How do you feel?|
      How have you been?|You look {mood}. Are you all right?|What's the matter?|Is everything fine with you?|How's life, {name}?|
      How was your day?|How are you feeling, {name}?|Is something wrong?|Are you doing well?|How goes it at {place}?|What kind of mood are you in?|
      Feeling good today?|Tell me how you are.|Why do you look so {mood}?`,
    refuse: `None of your concern.|I'd rather not say.|Don't ask.|That's private.|I won't talk about how I feel.|I keep my moods to myself.|No, leave my feelings out of it.`,
    deflect: `Still standing.|So so.|The same as ever.|I've been better and worse.|One day follows another.|Hard to put into words.|I haven't had time to notice.`,
    half: `A little {mood}.|Somewhat {mood}.|Could be worse.|I'm {mood}, I suppose.|A little {mood}, but who isn't?|I feel {mood}, and I don't quite know why.`,
    answer: `I'm {mood}.|Rather {mood}.|Quite {mood} today.|I'm {mood} today, because {reason}.|I feel {mood}, since {reason}.|
      To be honest, I'm {mood}, because {reason}.|I'm {mood}, and the reason is simple: {reason}.|Today I'm {mood}, as {reason}.`,
    step: `And you?|How are you?|Talk to me.|Sit with me a while, and it'll pass sooner.|And how are you, after your journey?|
      Tell me something new, that always helps.|Ask me again after supper, and I'll have a better answer.|Stay a moment and tell me about your day.`,
    talk: `It's kind of you to ask.|Nobody has asked me that all week.|Moods come and go like guests.|The days are long at {place}.|
      My face gives everything away.|Work leaves little time for moods.`,
    more: `It started this morning and hasn't changed since.|A {trade} learns to carry such things.|I'll be another person by tomorrow.|
      A walk by the river would do me good.|It's nothing that sleep won't settle.`,
    quip: `My feet feel worse.|Ask my hair.|The soup cheers me.|I blame Monday.`,
    joke: `My mood is fine, it's my face that didn't get the news.|I asked my mirror the same thing, and it sighed.|
      I'd be better if the goose stopped judging me.|I feel like a sock that lost its pair on washing day.`,
    tint: `My heart hums softly.|There's weather in me.|My soul wears slippers.`,
    image: `My heart is a kettle just before it starts to sing.|There's a small grey cloud that follows me from room to room.|
      I carry the day like a bowl filled to the brim.|Inside me a door opens and closes in the wind.`,
  }),
];
