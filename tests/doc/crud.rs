#[entity(crud, name = "profile")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile { name: String, logins: u32 }

#[entity]
impl Profile {
    #[command]
    fn rename(&mut self, name: String) -> Result<(), String> {
        self.name = name;
        if self.name.is_empty() { return Err("a name has letters".into()); }
        Ok(())
    }

    #[command]
    fn close(&mut self, ctx: &mut Context<Self>) { ctx.delete(); }

    #[query]
    fn name(&self) -> String { self.name.clone() }
}
