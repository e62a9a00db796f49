//! What breaks a rule, collected.

use kernel::Malformed;
use rpc::Fault;

use crate::domain::Asked;

/// What breaks a rule, as field and description.
#[derive(Default)]
pub(crate) struct Broken(Vec<(String, String)>);

impl Broken {
    /// The value of a field, if it has one.
    pub(crate) fn read<T>(
        &mut self,
        field: &str,
        text: &str,
        parse: impl Fn(&str) -> Result<T, Malformed>,
    ) -> Option<T> {
        self.keep(field, parse(text))
    }

    /// A value that was read, if it is one.
    pub(crate) fn keep<T>(&mut self, field: &str, parsed: Result<T, Malformed>) -> Option<T> {
        parsed.map_err(|malformed| self.0.push((field.to_owned(), malformed.reason().to_owned()))).ok()
    }

    /// The values of a repeated field that have one.
    pub(crate) fn read_all<T>(
        &mut self,
        field: &str,
        all: &[String],
        parse: impl Fn(&str) -> Result<T, Malformed>,
    ) -> Vec<T> {
        let indexed = all.iter().enumerate();
        indexed.filter_map(|(index, text)| self.read(&format!("{field}[{index}]"), text, &parse)).collect()
    }

    /// What is wrong with the attributes of a field.
    pub(crate) fn misfits(&mut self, field: &str, asked: &[Asked]) {
        let wrong = asked.iter().filter_map(|one| one.as_ref().err()).flatten();
        self.0.extend(wrong.map(|misfit| misfit.told(field)));
    }

    /// Like [`Broken::refuse`], with what is wrong with the attributes of a field. If that is all, it is refused where the definitions
    /// are, with those that they do not take.
    pub(crate) fn refuse_with(mut self, field: &str, asked: &[Asked]) -> Result<(), Fault> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.misfits(field, asked);
        self.refuse()
    }

    /// Refuses the request if anything broke.
    pub(crate) fn refuse(self) -> Result<(), Fault> {
        Fault::invalid_fields(self.0).map_or(Ok(()), Err)
    }
}
