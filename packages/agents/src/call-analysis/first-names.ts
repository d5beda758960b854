// Given names common in English-speaking offices, of many origins: one of several signs that a capitalised word is a person.
export const FIRST_NAMES: ReadonlySet<string> = new Set(
  `aaron abby abdul abigail ada adam adele adrian agnes ahmed aidan aisha alan alana albert alec alejandra alejandro alex alexa alexander
  alexandra alexis alfred ali alice alicia alina alison allison alma alyssa amanda amber amelia amina amir amit amy ana anand andre andrea
  andreas andrew andy angel angela angelica angelo angie anil anita anjali ann anna anne annette annie annika anthony antoine anton antonio
  april arash ariana ariel arjun arlo arnold arthur arturo arun asha ashley astrid aubrey audrey austin ava axel ayesha barbara barry beatrice
  becky bella ben benjamin bernard beth bethany betty beverly bianca bill billy blake bob bobby bonnie brad bradley brandon brenda brendan
  brian bridget brittany brooke bruce bruno bryan bryce caleb calvin cameron camila camille carl carla carlos carmen carol carolina caroline
  carolyn carrie casey cassie catherine cathy cecilia cedric cesar chad chandra charlene charles charlie charlotte chelsea chen cheryl chloe
  chris christian christina christine christopher cindy claire clara clarence claudia clayton cliff clyde cody colin colleen connie connor
  conrad corey courtney craig cristina crystal curtis cynthia daisy dale damian damon dan dana daniel daniela danielle danny daria darius
  darlene darren dave david dawn dean debbie deborah debra deepak deepika dennis derek desmond devon diana diane diego dieter dimitri dina
  dmitri dolores dominic don donald donna doris dorothy doug douglas duncan dustin dwayne dylan earl eddie edgar edith edward edwin eileen
  elaine elena eli elias elif elijah elisa elise elizabeth ella ellen ellie elliot eloise elsa emil emilia emily emma emmanuel enrique eric
  erica erik erika erin ernest esther ethan eugene eva evan eve evelyn faith farah fatima felicia felipe felix fernando fiona florence
  frances francesca francis francisco frank franklin fred freddie frederick freya gabriel gabriela gail gareth gary gavin gemma gene george
  georgia gerald gerard gilbert gina giovanni gita gladys glen glenn gloria gordon grace graham greg gregory greta guillermo gunther gustav
  guy gwen hana hank hannah hans harold harriet harry harvey hassan hazel heather hector heidi helen helena henrik henry herbert hilary holly
  howard hugh hugo ian ibrahim ida igor imani imran ines ingrid irene iris irma isaac isabel isabella isaiah ivan ivy jack jackie jacob
  jacqueline jade jaime jake jamal james jamie jan jane janelle janet janice jared jasmine jason javier jay jean jeff jeffrey jenna jennifer
  jenny jeremy jerome jerry jesse jessica jesus jill jim jimmy jin joan joanna joanne joaquin jocelyn jodie joe joel johan johanna john johnny
  jon jonah jonas jonathan jordan jorge jose joseph josephine josh joshua josie joy joyce juan juanita judith judy julia julian juliana julie
  juliet june justin kai kara karen karim karina karl karla kate katherine kathleen kathryn kathy katie katrina kavita kay kayla keith kelly
  kelsey ken kendra kenneth kenny kerry kevin khalid kim kimberly kiran kirsten klaus krista kristen kristin kumar kurt kyle lakshmi lance
  lara larry lars latisha latoya laura lauren laurence laurie lawrence leah lee leila lena leo leon leonard leroy leslie levi lewis liam lila
  lillian lily lina linda lindsay lisa liz liza lloyd lois lola lorenzo lori lorraine louis louisa louise luca lucas lucia lucille lucy luis
  luisa lukas luke luna lydia lynn mackenzie madeline madison mae maggie malcolm malik mandy manuel mara marc marcel marcia marco marcus
  margaret margot maria mariam marian marie marilyn mario marion marissa marjorie mark marlene marshall marta martha martin martina marvin
  mary mateo mathew matt matthew maureen maurice max maxine maya megan mehmet mei melanie melinda melissa melody mercedes meredith mia
  michael michelle miguel mike mila mildred miles milo min mina miranda miriam mitchell mohamed mohammed moira molly mona monica morgan
  morris moses muhammad muriel mustafa myra nadia nadine nancy naomi natalia natalie natasha nathan nathaniel neil nell nelson nia nicholas
  nick nicola nicolas nicole nigel nikhil nikita nina noah noel nora norma norman olga oliver olivia omar oscar otto owen pablo paige pam
  pamela parker patricia patrick patty paul paula pauline pavel pearl pedro peggy penny perry pete peter petra phil philip phoebe phyllis
  pierre polly preeti priya quentin quinn rachel rahul raj rajesh ralph ramesh ramon randall randy raquel rashid raul ravi ray raymond rebecca
  regina reginald rene renee rex rhonda ricardo rich richard rick ricky rita rob robert roberta roberto robin rodney roger rohan roland roman
  ron ronald rosa rosalind rose rosemary roslyn ross roxanne roy ruben ruby russell ruth ryan sabrina sally sam samantha samir samuel sandra
  sandy sanjay santiago sara sarah saul scott sean sebastian selena serena sergei sergio seth shane shannon sharon shaun shauna sheila shelby
  shelley sheri sherry shirley shreya sid sidney silvia simon simone sofia sonia sonya sophia sophie stacey stan stanley stefan stella
  stephanie stephen steve steven stewart stuart sue sunil sunita susan suzanne svetlana sven sylvia tamara tammy tamsin tania tanya tara tariq
  tasha taylor ted teresa terrence terri terry tess tessa theo theodore theresa thomas tiffany tim timothy tina tobias todd tom tomas tommy
  toni tony tracy travis trevor tricia tristan troy tyler ursula uwe valentina valerie vanessa vera vernon veronica vicki victor victoria
  vijay vikram vince vincent viola violet virginia vivian vivek wade walt walter wanda warren wayne wendy wesley whitney wilfred will william
  willie wolfgang xavier yael yan yara yasmin yolanda yuki yusuf yvette yvonne zach zachary zara zoe`.split(/\s+/),
);
