// Player lines of trade: price, haggling, buying, selling, wares, repair. Data only.
import { type Intent, intent } from '../fragment.ts';

export const trade: Intent[] = [
  intent({
    name: 'price',
    topic: 'the price of {a_ware}',
    lines: `How much for {a_ware}?|What does {a_ware} cost?|How much is the {ware}?|What's the price of {a_ware}?|What do you want for the {ware}?|
      How much do you charge for {a_ware}?|Is {a_ware} expensive?|I'd like to know what {a_ware} costs.|Can I afford {a_ware}?|
      Tell me the price of the {ware}.|How many coins for {a_ware}?|What would {a_ware} set me back?|The {ware}, how much?|
      What are you asking for that {ware}?|Name your price for the {ware}.|Could you tell me how much {a_ware} is?|I need {a_ware}. How much?|
      How much money do you want for {a_ware}?|And how much is {a_ware} these days?|What's {a_ware} worth?`,
    refuse: `Not for sale.|The {ware} is not for sale.|I'm not selling anything today.|I won't sell you {a_ware} at any price.|No, the {ware} stays with me.|I don't name prices to strangers.`,
    deflect: `It depends.|More than yesterday.|Prices change.|That depends on who is buying.|More than you'd like, less than you'd fear.|
      What would you pay for {a_ware}?|The {ware} has a price, like everything else.`,
    half: `A few coins.|Under twenty.|Not cheap.|Not much, for {a_ware} of that quality.|Somewhere around {price}, perhaps more.|
      A handful of coins, if I remember right.|The small {ware} is cheap and the good one isn't.`,
    answer: `{price}.|{price}, exactly.|It's {price}.|{a_ware} costs {price}.|The {ware} is {price}.|I ask {price} for {a_ware}.|
      That would be {price}.|For {a_ware} I take {price}.|You can have the {ware} for {price}.|The price of the {ware} is {price}.`,
    step: `Want it?|Shall I wrap it?|Take two?|Shall I wrap it for you?|Take two and I'll make it cheaper.|You can pay half now and half on {day}.|
      I can hold the {ware} for you until {day}.|Hold it first and see if it suits you.|Come and choose the best one yourself.`,
    talk: `Everything costs more since the spring.|Coins are thin this year.|I count my money every evening, and it takes no time at all.|
      The tax collector looks at my prices too.|People in {town} love to talk about money.|A price is only the start of a conversation.`,
    more: `That's a fair price in {town}.|You won't find a better {ware} at the market.|It'll last you for years.|I made the price low, because I want to see them used.|
      Last week I asked for more.|It's the last {ware} I have.`,
    quip: `Goats not included.|Kisses don't count.|I don't take buttons.|Cheese also accepted.`,
    joke: `For you it's the same price, but I'll say it with a smile.|I'd give it away, but then my landlord would give me away.|
      It's free if you can beat my goose at chess.|My prices are low, but so is my chair.|I sold one yesterday, and I still don't know why he laughed.`,
    tint: `Small coins, bright moons.|It shines like dawn.|Silver sings of it.`,
    image: `The {ware} waits on its shelf like a dog by the door.|Coins are tiny moons that wander from pocket to pocket.|
      A fair price lies quietly in the hand, like a warm stone.|There's a whole summer of work folded inside that {ware}.`,
  }),
  intent({
    name: 'haggle',
    topic: 'a lower price for the {ware}',
    after: ['price', 'wares', 'buy'],
    lines: `That's too expensive.|Can you make it cheaper?|That's too much for me.|I can't pay that much.|How about {price2}?|I'll give you {price2}.|
      Would you take {price2}?|That seems a lot for {a_ware}.|Is that your best price?|Come on, give me a better price.|
      I only have {price2} with me.|Surely you can do better than that.|Can we find a better price?|At the market it's cheaper.|
      {price2}, and not a coin more.|What about {price2} for the {ware}?|Could you lower the price a little?|My purse is too light for that.|
      I saw the same {ware} for {price2}.|Do you give discounts?`,
    refuse: `No.|No discount.|The price stands.|I never lower my prices.|No, not a single coin less.|The price of the {ware} is the price.|Then you'll go without {a_ware}.`,
    deflect: `We'll see.|Perhaps tomorrow.|Everyone says that.|Cheaper is a large word.|Perhaps the price will fall next year.|You'd have to ask my purse.`,
    half: `A little, perhaps.|One coin less.|I could go down a little.|I might take one coin off, not more.|Cheaper, yes, but not as low as that.|Perhaps if you bought two of them.`,
    answer: `{price2}, then.|Fine, {price2}.|{price2}, done.|I'll take {price2} for it.|All right, you can have the {ware} for {price2}.|
      Let's say {price2} and be friends.|For you I'll make it {price2}.|Very good, {price2} it is.`,
    step: `Shake on it.|Deal?|Pay me now.|Let's shake hands, and I'll wrap it up.|Bring the coins and it's yours today.|
      Take two at that price, and I'll add a cloth bag.|Put the money on the table, and I'll fetch the {ware}.|Tell your friends where you got it.`,
    talk: `Everybody wants it cheaper.|My costs went up this year too.|I enjoy a good bargain as much as anyone.|You have the eyes of a merchant.|
      I have a family and a leaking roof to think of.|The man before you tried the same.`,
    more: `At that price I earn almost nothing.|I like your honest face.|It's good to see the {ware} go to someone who needs it.|You bargain better than most.`,
    quip: `My purse is crying.|Ouch, says my purse.|The goose objects.|I'll eat turnips.`,
    joke: `At that price you'd have to carry me home as well.|My children will have to share one shoe, but fine.|
      Any cheaper, and I'd be paying you to leave.|Let me ask my business partner, who is a goat.|I'll throw in a sigh for free.`,
    tint: `Coins fall like leaves.|My purse sighs windily.|Prices melt like snow.`,
    image: `A bargain is a dance where both feet must move.|The price slid down like a raindrop on a window.|Between your number and mine runs a small cold river.|My purse is a thin dog that dreams of bones.`,
  }),
  intent({
    name: 'buy',
    topic: 'buying {a_ware}',
    lines: `I'll take the {ware}.|I want to buy {a_ware}.|I'd like {a_ware}, please.|Give me {a_ware}.|One {ware}, please.|Can I buy {a_ware} here?|
      Sell me {a_ware}.|I need to buy {a_ware}.|I'd like to buy the {ware}.|Do you have {a_ware}?|Could I get {a_ware}?|I'm looking for {a_ware}.|
      Do you sell {a_ware}?|I came here for {a_ware}.|Is there {a_ware} left for me?|Someone told me you have {a_ware}.|
      I'm in need of {a_ware}.|Let me have that {ware}.|Have you got {a_ware} for me?|A friend sent me to get {a_ware}.`,
    refuse: `Sold out.|Not to you.|No {ware} today.|I won't sell you the {ware}.|That {ware} is promised to someone else.|No, I keep the {ware} for regulars.`,
    deflect: `Perhaps later.|Maybe next week.|I might have one.|{a_ware}, you say?|There may be one somewhere in the back.|I'd have to look, and the back room is dark.`,
    half: `I have an old one.|Only a used one.|There's one with a dent.|I have {a_ware}, but it's not my best.|I could sell you half of what you need.|I have one left, but it needs some care.`,
    answer: `Here you are.|It's yours.|Yes, gladly.|Yes, I have {a_ware}.|Here's your {ware}, that makes {price}.|One {ware} for you, {price}, thank you.|
      The {ware} is yours for {price}.|I have a fine {ware} for {price}.|Of course, {a_ware} costs {price}.`,
    step: `Need a bag?|Anything else?|Try it now.|Do you need anything to go with it?|I'll wrap it so the rain can't harm it.|
      Bring it back if it doesn't suit you.|Let me show you how to take care of it.|Take the {ware2} as well, and I'll make you a good price.`,
    talk: `It's a popular thing this season.|I sold three of those last week.|Not everyone knows what they want, but you do.|
      My shelves are emptier than I'd like.|It's nice to do business before noon.`,
    more: `You chose well.|I checked it myself this morning.|It's the best {ware} I've had all year.|You'll have joy with it for a long time.|It came in only yesterday.`,
    quip: `Goose not included.|It bites rarely.|Refunds on leap days.|The box is extra.`,
    joke: `It comes with a free warning from my mother-in-law.|The last buyer loved it so much that he forgot to pay.|
      I'd sell you two, but then I'd have to count.|Be gentle with it, it's ticklish.|It works perfectly, except on days with soup.`,
    tint: `It was dreaming of you.|It gleams like morning.|It hums contentedly.`,
    image: `Things choose their owners, and this one has been watching the door.|The {ware} lay in the dark like a seed that waits for rain.|Something in it still remembers the hands that made it.|Carry it home like a small sleeping bird.`,
  }),
  intent({
    name: 'sell',
    topic: 'buying your {item}',
    lines: `Would you buy my {item}?|I want to sell my {item}.|How much would you give me for this {item}?|Are you interested in {a_item}?|
      I have {a_item} to sell.|Do you buy things? I have {a_item}.|What would you pay for my {item}?|Can I sell you {a_item}?|
      This {item} is for sale.|Look at this {item}. Do you want it?|I need money, so I'm selling my {item}.|Make me an offer for this {item}.|
      Give me a fair price for my {item}.|Would {price} be fair for my {item}?|I'd trade this {item} for some silver.|Want to buy {a_item}?|
      I found {a_item}. Will you buy it?|My {item} is nearly new. Any interest?|Could you use {a_item}?|What's my {item} worth to you?`,
    refuse: `No.|I'm not buying.|Keep your {item}.|I don't want your {item}.|No, I have no use for {a_item}.|I don't buy things off the street.|Take that {item} somewhere else.`,
    deflect: `Perhaps.|Where's it from?|Let me think.|I have one already, somewhere.|It depends on where you got it.|I'd have to see the {item} by daylight.`,
    half: `A little, perhaps.|Not for much.|I'd give you something for it.|I might buy it, but the handle worries me.|I could swap it for something small.|Perhaps, if you clean the {item} first.`,
    answer: `{price}.|Yes, for {price}.|I'll pay {price}.|I'll give you {price} for your {item}.|Your {item} is worth {price} to me.|
      Yes, I could use {a_item}, so take {price}.|For a good {item} I pay {price}.|I can offer you {price} for the {item}.`,
    step: `Deal?|Shake on it.|Coins or goods?|Do you want it in coins or in goods?|Sign here, and the money is yours.|
      If you have more like it, bring them on {day}.|Take the money now, and I'll add a hot meal.|Or swap it for {a_ware}, if you'd rather.`,
    talk: `I see many things come over this table.|Last week someone tried to sell me a door.|Old things have long memories.|
      I had {a_item} like that as a child.|Half of {town} is selling something this month.`,
    more: `It's in better shape than most.|You won't get more for it in {town}.|I know someone who looks for just that.|A little oil, and it'll be as good as new.`,
    quip: `Does it bite?|My goat wants it.|I smell cheese.|It matches my hat.`,
    joke: `I already own three, and none of them talk to me.|It looks like it has been through a goose.|
      I'll buy it if you take my mother-in-law in return.|It's so old that it calls me young man.`,
    tint: `It whispers of roads.|Rust blooms like roses.|It dreams of elsewhere.`,
    image: `Your {item} has the look of something that has seen the sea.|Old things carry their years like rings in a tree.|I can hear a whole journey rattling inside it.|It lies in your hand like a question.`,
  }),
  intent({
    name: 'wares',
    topic: 'my stock',
    lines: `What do you sell?|What have you got?|Show me your wares.|What can I buy here?|Do you have anything for sale?|What's for sale today?|
      Can I see what you have?|I'd like to see your goods.|Anything interesting for sale?|What do you have in stock?|Let me look at your wares.|
      What can you offer me?|I have money to spend. What do you have?|Do you trade?|Have you got anything special?|What are you selling, {name}?|
      Is there anything here worth buying?|What kind of things do you sell?|May I look around?|What would you recommend?`,
    refuse: `Nothing.|We're closed.|I sell nothing.|I'm not selling today.|My goods are not for you.|No, keep your hands in your pockets.`,
    deflect: `This and that.|All sorts.|Odds and ends.|It changes every day.|Things, mostly.|Look around, I suppose.|It depends on what fell off the cart.`,
    half: `{a_ware}, mostly.|I have {a_ware} left.|There's {a_ware} somewhere.|I have {a_ware} and some smaller things.|Not much today, only {a_ware}.`,
    answer: `{a_ware}, {a_ware2}.|I have {a_ware} and {a_ware2}.|I sell {a_ware} for {price}.|Today I have {a_ware} and {a_ware2}.|
      You can buy {a_ware} here, or {a_ware2}.|There's {a_ware} for {price} and {a_ware2} for {price2}.|My best thing today is {a_ware}.`,
    step: `Which one?|Have a look.|Want to see?|Which of them shall I show you?|Pick one up and feel the weight of it.|
      If you don't see what you need, I can order it for {day}.|Start with the {ware}, it's the best I have.|Tell me what you need it for, and I'll choose for you.`,
    talk: `I put the shelves in order this morning.|Things come and go at {place}.|Some people come only to look.|Good stock is hard to find this year.|I dust everything twice a week.`,
    more: `Everything is honest work.|The {ware} came in fresh this week.|I don't keep anything I wouldn't use myself.|The {ware2} is the favourite in {town}.`,
    quip: `Dust is free.|The cat isn't.|Jokes half price.|Mystery soup, too.`,
    joke: `I also have a cupboard full of things I can't name.|Everything is for sale except the goose, she has a contract.|
      I sell memories too, but I forget where I put them.|The biggest seller is directions to somebody else.`,
    tint: `Treasures asleep in straw.|My shelves dream aloud.|Each thing hums differently.`,
    image: `My shelves are a little harbour where things wait for a wind.|Each thing here is the last line of a long story.|The goods glimmer in the half light like fish under ice.|Look long enough, and something will look back.`,
  }),
  intent({
    name: 'repair',
    topic: 'your broken {item}',
    lines: `Can you fix my {item}?|My {item} is broken.|Could you repair this {item}?|I broke my {item}. Can you help?|Do you repair things like {a_item}?|
      Who can mend my {item}?|This {item} needs mending.|How long would it take to fix my {item}?|Is my {item} beyond repair?|
      Please fix my {item}.|Something is wrong with my {item}.|My {item} fell apart on the road.|I need my {item} repaired by {day}.|
      Can this {item} be saved?|What would it cost to repair {a_item}?|I dropped my {item} and now it's useless.|Would you look at my {item}?|
      My {item} makes a strange noise.|Do you know how to mend {a_item}?|Help, my {item} came apart!`,
    refuse: `No.|Can't be fixed.|I don't repair things.|I won't touch that {item}.|No, that {item} is your problem.|Throw the {item} away.`,
    deflect: `Perhaps.|Looks bad.|How did that happen?|I've seen worse, I think.|Someone with better tools could look at it.|Things break, that's their nature.`,
    half: `I can try.|For a while.|I could tie it together.|I can patch the {item}, but it won't last.|I can mend half of it.|It'll hold until {day}, perhaps.`,
    answer: `Yes, for {price}.|Of course.|I can fix it.|I can mend your {item} for {price}.|Yes, your {item} will be ready on {day}.|
      That's easy, I'll have the {item} done by {day}.|I'll repair the {item} for {price}.|Your {item} only needs a new pin, I can do that.`,
    step: `Leave it here.|Come back {day}.|Sit and wait.|Leave the {item} here and come back on {day}.|I'll lend you another one until then.|
      Rub it with oil each week, and it won't happen again.|Wait here, and you can watch me do it.|Pay me when you see that it works.`,
    talk: `Everything breaks on a journey.|I like things that can be mended.|Nobody takes care of their things these days.|The damp is bad for everything.|My own {item} looks no better.`,
    more: `It's only a small crack.|I've mended worse with less.|The good parts are still good.|After that it'll be stronger than before.`,
    quip: `Try kissing it.|It needs a hug.|Glue and prayers.|The goose did it.`,
    joke: `I can make it worse for free and better for a fee.|It isn't broken, it's on holiday.|
      My last repair exploded, but only once.|I fixed one last week, and now it works backwards.`,
    tint: `It's only sleeping.|Broken things sing quietly.|Cracks let light in.`,
    image: `A mended thing remembers the dark and shines anyway.|The crack runs through it like a small black river.|Broken things are half open doors.|It sighs in your hand like a tired bird.`,
  }),
];
